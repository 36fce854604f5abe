package systems

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// ErrNotInstalled is a store that this machine does not have.
var ErrNotInstalled = errors.New("is not installed")

// redis runs Debian's redis-server with an append-only file; what it answered is with the kernel.
func redis(appendfsync string) func(*Field, context.Context, string) (store, error) {
	return func(f *Field, ctx context.Context, name string) (store, error) {
		path, err := exec.LookPath("redis-server")
		if err != nil {
			return store{}, fmt.Errorf("redis-server %w: apt-get install redis-server", ErrNotInstalled)
		}
		free, err := addresses(1)
		if err != nil {
			return store{}, err
		}
		_, port, err := net.SplitHostPort(free[0])
		if err != nil {
			return store{}, err
		}
		dir := f.path(name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return store{}, err
		}
		return store{address: free[0], kind: "redis", process: name}, f.supervisor.Start(ctx, stack.Process{
			Name: name, Path: path, Ready: stack.TCPReady(free[0]),
			Args: []string{"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "",
				"--appendonly", "yes", "--appendfsync", appendfsync},
		})
	}
}

// postgresConfig is how sure an answer is. With fsync off it is with the kernel: it survives the
// death of the processes and not that of the machine.
type postgresConfig struct{ fsync, commit string }

// postgres runs Debian's PostgreSQL, with memory and log large enough that no run meets a checkpoint.
func postgres(c postgresConfig) func(*Field, context.Context, string) (store, error) {
	return func(f *Field, ctx context.Context, name string) (store, error) {
		bin, err := postgresBin()
		if err != nil {
			return store{}, err
		}
		free, err := addresses(1)
		if err != nil {
			return store{}, err
		}
		_, port, err := net.SplitHostPort(free[0])
		if err != nil {
			return store{}, err
		}
		dir := f.path(name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return store{}, err
		}
		as, err := unprivileged(ctx, dir)
		if err != nil {
			return store{}, err
		}
		initdb := append(slices.Clone(as), filepath.Join(bin, "initdb"), "-D", dir, "-A", "trust", "-U", "bench", "--no-sync", "-E", "UTF8", "--locale=C")
		if _, err := f.output(ctx, initdb[0], initdb[1:]...); err != nil {
			return store{}, err
		}
		serve := append(slices.Clone(as), filepath.Join(bin, "postgres"), "-D", dir, "-p", port)
		for _, setting := range []string{
			"listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=256MB", "max_wal_size=8GB", "checkpoint_timeout=1h",
			"wal_level=minimal", "max_wal_senders=0", "jit=off", "fsync=" + c.fsync,
		} {
			serve = append(serve, "-c", setting)
		}
		ready := func(ctx context.Context) error {
			return exec.CommandContext(ctx, filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port).Run()
		}
		dsn := fmt.Sprintf("postgres://bench@%s/postgres?sslmode=disable&synchronous_commit=%s", free[0], c.commit)
		return store{address: dsn, kind: "postgres", process: name},
			f.supervisor.Start(ctx, stack.Process{Name: name, Path: serve[0], Args: serve[1:], Dir: dir, Ready: ready})
	}
}

// postgresBin is where Debian keeps the newest server.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("PostgreSQL %w: apt-get install postgresql", ErrNotInstalled)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged is what a command begins with that must not run as root, as PostgreSQL must not. The
// folder is given to that user. The bench's own death still kills it.
func unprivileged(ctx context.Context, dir string) ([]string, error) {
	if os.Geteuid() != 0 {
		return []string{"/usr/bin/env"}, nil
	}
	if out, err := exec.CommandContext(ctx, "chown", "postgres:postgres", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("give %s to postgres: %w: %s", dir, err, out)
	}
	return []string{"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=SIGKILL"}, nil
}
