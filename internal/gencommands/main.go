package main

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	check := flag.Bool("check", false, "fail if a generated file is stale, write nothing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "gencommands:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	files, err := Generate(root)
	if err != nil {
		return err
	}
	stale, err := Stale(root, files)
	if err != nil {
		return err
	}
	if check {
		if len(stale) > 0 {
			return fmt.Errorf("stale, run go generate ./client/command: %v", stale)
		}
		return nil
	}
	for _, name := range stale {
		path := filepath.Join(root, name)
		content, wanted := files[name]
		if !wanted {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, content, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Stale returns the names of files that differ from what was generated, or
// that are generated files which nothing generates any more.
func Stale(root string, files map[string][]byte) ([]string, error) {
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		have, err := os.ReadFile(filepath.Join(root, name))
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		if !bytes.Equal(have, files[name]) {
			stale = append(stale, name)
		}
	}
	for _, dir := range []string{"client", "client/command", "pipeline"} {
		old, err := filepath.Glob(filepath.Join(root, dir, "*_gen.go"))
		if err != nil {
			return nil, err
		}
		for _, path := range old {
			name := dir + "/" + filepath.Base(path)
			if _, ok := files[name]; !ok {
				stale = append(stale, name)
			}
		}
	}
	return stale, nil
}

// moduleRoot is the nearest directory upwards that has a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = up
	}
}
