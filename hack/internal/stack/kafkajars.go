package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// leastJava is the Java that Kafka's brokers are compiled for.
const leastJava = 17

// KafkaJars is a directory with Apache Kafka and all that it needs, and the Java to run it.
type KafkaJars struct{ dir, java string }

// FetchKafka has Maven collect what hack/kafka/pom.xml names into the user's cache, once for each
// version of that file.
func FetchKafka(ctx context.Context, root string, progress io.Writer) (KafkaJars, error) {
	java, err := findJava(ctx)
	if err != nil {
		return KafkaJars{}, err
	}
	pom, err := os.ReadFile(filepath.Join(root, "hack", "kafka", "pom.xml"))
	if err != nil {
		return KafkaJars{}, fmt.Errorf("read what Kafka needs: %w", err)
	}
	dir, err := cacheDir("kafka-" + fingerprint(string(pom)))
	if err != nil {
		return KafkaJars{}, err
	}
	jars := KafkaJars{dir: filepath.Join(dir, "jars"), java: java}
	if isDir(jars.dir) {
		return jars, nil
	}
	return jars, withLock(ctx, dir, progress, func() error {
		if isDir(jars.dir) {
			return nil
		}
		return step(progress, "collecting Apache Kafka from Maven Central", func() error {
			return collectJars(ctx, dir, jars.dir, pom)
		})
	})
}

// collectJars fills a directory beside target and renames it when it is whole. Maven works in the
// cache, so that it leaves nothing in the repository.
func collectJars(ctx context.Context, dir, target string, pom []byte) error {
	path := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(path, pom, 0o644); err != nil {
		return fmt.Errorf("copy the pom: %w", err)
	}
	partial := target + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("forget an interrupted download: %w", err)
	}
	command := exec.CommandContext(ctx, "mvn", "--batch-mode", "--no-transfer-progress", "--strict-checksums",
		"--file", path, "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+partial)
	output, err := command.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no mvn on PATH: install Apache Maven 3 (Debian's package maven)")
	}
	if err != nil {
		return fmt.Errorf("mvn dependency:copy-dependencies: %w\n%s", err, bytes.TrimSpace(output))
	}
	return os.Rename(partial, target)
}

// run runs one of Kafka's command line tools to its end.
func (j KafkaJars) run(ctx context.Context, class string, args ...string) error {
	command := exec.CommandContext(ctx, j.java, j.arguments(class, args...)...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", class, err, bytes.TrimSpace(output))
	}
	return nil
}

// arguments are java's, to run a class of Kafka.
func (j KafkaJars) arguments(class string, args ...string) []string {
	return append([]string{
		"-Xms64m", "-Xmx" + brokerHeap,
		"-XX:+UseSerialGC", // three brokers share a machine's few cores
		"-XX:+ExitOnOutOfMemoryError",
		"-XX:-UsePerfData", // it writes files outside our directories
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		"-cp", filepath.Join(j.dir, "*"), class,
	}, args...)
}

// findJava takes JAVA_HOME's, else the one on PATH.
func findJava(ctx context.Context) (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(java)
	if err != nil {
		return "", fmt.Errorf("find the Java %d or newer that Apache Kafka needs (Debian's package openjdk-17-jre-headless): %w", leastJava, err)
	}
	output, err := exec.CommandContext(ctx, path, "-XshowSettings:properties", "-version").CombinedOutput() //nolint:gosec // the user's own JAVA_HOME
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	version, ok := javaVersion(string(output))
	if !ok || version < leastJava {
		return "", fmt.Errorf("find the Java %d or newer that Apache Kafka needs: %s is an older one", leastJava, path)
	}
	return path, nil
}

// javaVersion reads the feature release (17) out of Java's settings.
func javaVersion(settings string) (int, bool) {
	for line := range strings.Lines(settings) {
		key, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(key) == "java.specification.version" {
			version, err := strconv.Atoi(strings.TrimSpace(value)) // Java 8 says 1.8
			return version, err == nil
		}
	}
	return 0, false
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
