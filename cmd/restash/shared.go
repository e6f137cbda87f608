package main

import (
	"fmt"
	"os"

	"github.com/joho/godotenv"
	"github.com/spf13/pflag"
)

// shared are the flags that every command has. What they say goes into the
// environment, so that each part of a command reads it in one place.
type shared struct{ envFile, url, token string }

func (s *shared) register(flags *pflag.FlagSet) {
	flags.StringVar(&s.envFile, "env-file", "", "file with NAME=value lines; what is set in the environment counts more")
	flags.StringVar(&s.url, "rest-url", "", "REST URL of the database (default: "+urlVariable+")")
	flags.StringVar(&s.token, "rest-token", "", "REST token of the database (default: "+tokenVariable+")")
}

// apply sets the variables. A flag counts more than the environment, which
// counts more than the file.
func (s *shared) apply() error {
	if s.envFile != "" {
		if err := loadEnvFile(s.envFile); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{urlVariable: s.url, tokenVariable: s.token} {
		if value == "" {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return &usageError{fmt.Errorf("%s cannot hold that value", name)}
		}
	}
	return nil
}

// loadEnvFile never repeats a line of the file: it may hold a token.
func loadEnvFile(path string) error {
	content, err := os.Open(path)
	if err != nil {
		return &usageError{fmt.Errorf("--env-file: %w", err)}
	}
	defer content.Close()
	values, err := godotenv.Parse(content)
	if err != nil {
		return &usageError{fmt.Errorf("--env-file: %s does not consist of NAME=value lines", path)}
	}
	pairs := redisIsNamed()
	for name, value := range values {
		// Half a pair of the file would make another database of the
		// environment's: a pair is taken whole or not at all.
		if os.Getenv(name) != "" || pairs && isRedisVariable(name) {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return &usageError{fmt.Errorf("--env-file: %s cannot be set", name)}
		}
	}
	return nil
}
