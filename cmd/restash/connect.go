package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/client"
)

// callTime bounds one call of a command that a person waits for.
const callTime = 10 * time.Second

// openClient connects a command to the database of the environment. Warnings
// stay away from what it prints: the command says itself what went wrong.
func openClient(change ...func(*client.Config)) (*client.Client, error) {
	config, err := client.ConfigFromEnv()
	if err != nil {
		return nil, fmt.Errorf("%w; set them, name a file with --env-file, or start a local server: restash serve", err)
	}
	config.Timeout = callTime
	config.Logger = slog.New(slog.DiscardHandler)
	for _, f := range change {
		f(&config)
	}
	return client.New(config)
}

// withClient makes a RunE of a function that needs the database.
func withClient(do func(cmd *cobra.Command, c *client.Client, args []string) error, change ...func(*client.Config)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := openClient(change...)
		if err != nil {
			return err
		}
		defer c.Close()
		return do(cmd, c, args)
	}
}

// exactKinds asks for replies in Redis's own format: JSON cannot tell the status
// PONG from a value "PONG".
func exactKinds(config *client.Config) { config.Encoding = client.RESP2 }
