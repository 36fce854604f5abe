package journal

import "strconv"

// Routes returns one route into each shard, to View all of them.
func Routes() (routes [Shards]string) {
	for n, found := 0, 0; found < Shards; n++ {
		route := strconv.Itoa(n)
		if shard := ShardOf(route); routes[shard] == "" {
			routes[shard] = route
			found++
		}
	}
	return routes
}
