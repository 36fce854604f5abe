package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is one with a single commit, and a previous release that is that commit or another.
func repository(t *testing.T, previous func(head string) string) (root, head string) {
	t.Helper()
	root = t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b.example"}, args...)...)
		command.Dir = root
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("a/file", "as it was")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	head = git("rev-parse", "HEAD")
	write("a/file", "as it is")
	write("hack/siege/previous", previous(head)+"\n")
	return root, head
}

func TestThePreviousReleaseIsTakenOutOfTheHistory(t *testing.T) {
	root, head := repository(t, func(head string) string { return head })
	commit, err := Previous(t.Context(), root)
	if err != nil || commit != head {
		t.Fatalf("it is %q, %v; want %q", commit, err, head)
	}
	folder := t.TempDir()
	if err := Unpack(t.Context(), root, commit, folder); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "a", "file"))
	if err != nil || string(text) != "as it was" {
		t.Errorf("its file says %q, %v", text, err)
	}
}

func TestAShallowHistorySaysWhatToDo(t *testing.T) {
	root, _ := repository(t, func(string) string { return strings.Repeat("7", 40) })
	if _, err := Previous(t.Context(), root); err == nil || !strings.Contains(err.Error(), "git fetch --unshallow") {
		t.Errorf("it says %v", err)
	}
}
