package main

import (
	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	var shared shared
	root := &cobra.Command{
		Use:   "restash",
		Short: "Upstash Redis over REST: local server, sample catalogue, and tools for a database and its caches",
		Long: "restash runs the sample catalogue and a local Upstash-compatible server, and looks into a\n" +
			"database and the caches in it. Commands that speak to a database take it from\n" +
			"UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or KV_REST_API_URL and KV_REST_API_TOKEN),\n" +
			"be they set, in the file of --env-file, or overridden by --rest-url and --rest-token.\n" +
			"The exit status is 0, 1 if the command failed, and 2 if it was not understood.",
		Example:           "  restash dev\n  restash ping\n  restash doctor",
		Version:           version(),
		SilenceUsage:      true,
		SilenceErrors:     true,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error { return shared.apply() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	shared.register(root.PersistentFlags())
	root.AddCommand(newDev(), newServe(), newTry(), newProbe(), newWarm(), newCommands(), newPing(), newExec(), newCLI(), newScan(), newSubscribe(), newMonitor(), newInspect(), newInvalidate(), newMetrics(), newBench(), newDoctor())
	addExamples(root)
	classifyUsage(root)
	return root
}

// addExamples completes the commands that have none of their own, such as
// those that cobra makes.
func addExamples(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("completion")
	for path, example := range map[string]string{
		"serve":                 "  restash serve\n  restash serve --addr 127.0.0.1:8079 --token local",
		"warm":                  "  restash warm\n  restash warm --json",
		"help":                  "  restash help warm",
		"completion":            "  restash completion bash > restash.bash",
		"completion bash":       "  source <(restash completion bash)",
		"completion zsh":        "  restash completion zsh > \"${fpath[1]}/_restash\"",
		"completion fish":       "  restash completion fish | source",
		"completion powershell": "  restash completion powershell | Out-String | Invoke-Expression",
	} {
		if cmd, _, err := root.Find(words(path)); err == nil && cmd.Example == "" {
			cmd.Example = example
		}
	}
}
