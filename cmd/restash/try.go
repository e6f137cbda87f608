package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/cmd/restash/internal/trial"
)

// tryOptions are the flags of try.
type tryOptions struct {
	yes, dev, json bool
	id, at, addr   string
}

func newTry() *cobra.Command {
	var opts tryOptions
	cmd := &cobra.Command{
		Use:   "try",
		Short: "Make a real Upstash database without an account, for three days",
		Long: "try asks Upstash for a database that needs no account, and prints the two variables that name\n" +
			"it; with --dev it runs the sample on it. It sends one request without credentials to\n" +
			trial.Address + ": a random identifier and this program's name. The database is deleted\n" +
			"after 72 hours unless you claim it on the page that is printed. Whoever knows the identifier\n" +
			"can read it: no secrets, no personal data. It asks before it sends anything; where nobody can\n" +
			"answer, --yes is needed.",
		Example: "  restash try\n  restash try --yes --dev",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTry(cmd, opts) },
	}
	cmd.Flags().BoolVarP(&opts.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&opts.dev, "dev", false, "run the sample on the database")
	cmd.Flags().StringVar(&opts.addr, "addr", defaultDevAddr, "address of the sample's routes, with --dev")
	cmd.Flags().StringVar(&opts.id, "id", "", "identifier of an earlier try, whose database is wanted again")
	cmd.Flags().StringVar(&opts.at, "at", trial.Address, "address of the service")
	jsonFlag(cmd.Flags(), &opts.json)
	return cmd
}

func runTry(cmd *cobra.Command, opts tryOptions) error {
	if opts.id == "" {
		opts.id = trial.NewID()
	}
	if err := trial.CheckID(opts.id); err != nil {
		return misused(cmd, "try: --id %w", err)
	}
	if err := agree(cmd, opts); err != nil {
		return err
	}
	name, _, _ := strings.Cut(version(), "(")
	d, err := trial.Create(cmd.Context(), trial.Config{Address: opts.at, ID: opts.id, UserAgent: strings.Replace(strings.TrimSpace(name), " ", "/", 1)})
	if err != nil {
		return fmt.Errorf("try: %w; a database may have been made all the same: restash try --id %s asks for it again", err, opts.id)
	}
	if opts.json {
		err = printJSON(cmd.OutOrStdout(), d)
	} else {
		err = tellTrial(cmd.OutOrStdout(), d)
	}
	if err != nil || !opts.dev {
		return err
	}
	return devOn(cmd, d, opts.addr)
}

// agree asks a person before anything leaves this machine.
func agree(cmd *cobra.Command, opts tryOptions) error {
	if opts.yes {
		return nil
	}
	if !isTerminal(cmd.OutOrStdout()) || !isTerminalInput(cmd.InOrStdin()) {
		return misused(cmd, "try: nobody to ask whether a request may go to %s; --yes agrees", opts.at)
	}
	return confirm(cmd.InOrStdin(), cmd.OutOrStdout(), opts)
}

func confirm(in io.Reader, out io.Writer, opts tryOptions) error {
	fmt.Fprintf(out, "This sends POST %s with the identifier %s and no credentials.\n"+
		"Upstash makes a database that everybody who knows the identifier can read, and deletes it after 72 hours.\n"+
		"Go on? [y/N] ", opts.at, opts.id)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a == "y" || a == "yes" {
		return nil
	}
	return errors.New("try: not agreed, nothing was sent")
}

func isTerminalInput(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && isTerminal(file)
}

func tellTrial(out io.Writer, d trial.Database) error {
	expires := d.Expires
	if expires == "" {
		expires = "after 72 hours"
	}
	lines := []string{
		urlVariable + "=" + quote(d.URL), tokenVariable + "=" + quote(d.Token),
		"# deleted: " + strings.TrimSuffix(expires, "."),
	}
	if d.Console != "" {
		lines = append(lines, "# to keep it, open and claim: "+d.Console)
	}
	lines = append(lines, "# next: put these lines into .env, then restash ping --env-file .env")
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

// devOn runs the sample on the new database.
func devOn(cmd *cobra.Command, d trial.Database, addr string) error {
	for name, value := range map[string]string{urlVariable: d.URL, tokenVariable: d.Token} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return runDev(cmd.Context(), cmd.OutOrStdout(), newLogger(cmd), devOptions{addr: addr, restAddr: defaultRestAddr, breakerOpen: breaker.DefaultOpen})
}
