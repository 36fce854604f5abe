package stack_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestAShellReadsTheAddresses(t *testing.T) {
	const want = "mongodb://127.0.0.1:1/?a=b&c='d' $HOME"
	path := filepath.Join(t.TempDir(), "env")
	if err := stack.WriteExports(path, []string{"MONGODB_URI=" + want, "KAFKA_BROKERS=127.0.0.1:2"}); err != nil {
		t.Fatal(err)
	}
	got, err := exec.CommandContext(t.Context(), "sh", "-c", `. "$0" && printf '%s|%s' "$MONGODB_URI" "$KAFKA_BROKERS"`, path).CombinedOutput()
	if err != nil || string(got) != want+"|127.0.0.1:2" {
		t.Errorf("the shell has %q, %v; want %q", got, err, want)
	}
}

func TestTheCommandsExitCodeIsOurs(t *testing.T) {
	code, err := stack.RunCommand(t.Context(), []string{"sh", "-c", `test "$KAFKA_BROKERS" = x && exit 7`}, []string{"KAFKA_BROKERS=x"})
	if err != nil || code != 7 {
		t.Errorf("code %d, %v; want 7", code, err)
	}
	if _, err := stack.RunCommand(t.Context(), []string{"/no/such/command"}, nil); err == nil {
		t.Error("a missing command is no error")
	}
}
