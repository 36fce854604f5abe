// Package day is the shape of a shop's day: how the orders of 24 hours are spread over its minutes. A
// night, a working day, and four sales that open on the hour and are nearly over ten minutes later.
package day

import "time"

// Minutes in a day.
const Minutes = 24 * 60

// Peak is how many times the mean the busiest minute has.
const Peak = 20

// opening is what the minutes behind the opening of a great sale have, in means.
var opening = []float64{Peak, 12, 8, 6, 5, 4, 3.5, 3, 2.5, 2}

// sales are the hours at which a sale opens, and how great each is.
var sales = []struct {
	hour  int
	share float64
}{{10, 1}, {14, 0.5}, {20, 1}, {22, 0.5}}

// quiet is how the hours compare while no sale has just opened.
var quiet = [24]float64{4, 2, 1, 1, 1, 2, 4, 6, 8, 10, 12, 12, 11, 10, 10, 10, 10, 10, 11, 12, 14, 13, 10, 7}

// shape has a mean of 1.
var shape = spread()

func spread() (minutes [Minutes]float64) {
	var opened, rest float64
	for _, sale := range sales {
		for i, height := range opening {
			minutes[60*sale.hour+i] = sale.share * height
			opened += sale.share * height
		}
	}
	for m := range minutes {
		if minutes[m] == 0 {
			rest += quiet[m/60]
		}
	}
	for m := range minutes {
		if minutes[m] == 0 {
			minutes[m] = quiet[m/60] * (Minutes - opened) / rest
		}
	}
	return minutes
}

// At is the rate at a time of a day that passes within length, in means.
func At(since, length time.Duration) float64 {
	return shape[min(Minutes-1, int(since*Minutes/length))]
}

// Ends are the times at which the rush behind each opening is over.
func Ends(length time.Duration) []time.Duration {
	ends := make([]time.Duration, len(sales))
	for i, sale := range sales {
		ends[i] = length * time.Duration(60*sale.hour+len(opening)) / Minutes
	}
	return ends
}
