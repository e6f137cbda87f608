package restash_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// The code of the pages in docs.

func openStore() (*strategies.Store, func()) {
	stop := localRedis()
	c, err := client.FromEnv()
	check(err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Executor: strategies.Inline(strategies.DefaultInline)})
	check(err)
	return store, func() { check(store.Close(context.Background())); stop() }
}

func load(_ context.Context, key string) (User, error) { return User{Name: key}, nil }

// What can be named as no longer true.
func Example_invalidation() {
	store, done := openStore()
	defer done()
	ctx := context.Background()
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Hour})
	prices := strategies.New[int](store, strategies.Config{Name: "price", TTL: time.Hour})

	report, err := store.Invalidate(ctx,
		invalidate.Tags("team:7"),       // whatever carries the tag
		invalidate.Key(users, "ada"),    // one key and all its variants
		invalidate.Prefix(prices, "eu"), // eu, eu:book, eu:book:7
		invalidate.Prefix(users),        // the whole class
	)
	fmt.Println(report.Pending, err)
	// Output: 0 <nil>
}

// Renamed is an event of an application.
type Renamed struct{ User, Team string }

// One place that says what each event makes invalid.
func Example_rules() {
	store, done := openStore()
	defer done()
	ctx := context.Background()
	users := strategies.New[User](store, strategies.Config{Name: "user", TTL: time.Hour})
	_, err := users.Get(ctx, "ada", load)
	check(err)

	var rules invalidate.Rules
	invalidate.On(&rules, func(e Renamed) invalidate.Target {
		return invalidate.Join(invalidate.Key(users, e.User), invalidate.Tags("team:"+e.Team))
	})
	_, err = rules.Apply(ctx, store, Renamed{User: "ada", Team: "7"})
	check(err)

	var st strategies.Status
	_, err = users.Get(ctx, "ada", load, strategies.Report(&st))
	fmt.Println(st.State, st.Reason, err)
	// Output: MISS invalidated <nil>
}

// The tenant is the first part of every key that belongs to one.
func Example_tenants() {
	store, done := openStore()
	defer done()
	ctx := context.Background()
	invoices := strategies.New[string](store, strategies.Config{Name: "invoice", TTL: time.Hour})
	loadInvoice := func(_ context.Context, key string) (string, error) { return "for " + key, nil }
	tenant := "acme" // verified by your own middleware

	invoice, err := invoices.Get(ctx, strategies.Key(tenant, "invoice", 7), loadInvoice, strategies.Tags("tenant:"+tenant))
	check(err)
	_, err = store.Invalidate(ctx, invalidate.Prefix(invoices, tenant)) // all that is kept for one tenant
	check(err)
	fmt.Println(invoice)
	// Output: for acme:invoice:7
}

// An hour of TTL passes in no time.
func TestDocsVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
		require.NoError(t, err)
		_, err = c.Set(t.Context(), "session", "ada", command.EX(time.Hour))
		require.NoError(t, err)

		time.Sleep(time.Hour + time.Second) // takes no time in a bubble

		_, err = c.Get(t.Context(), "session")
		require.ErrorIs(t, err, client.ErrNil)
	})
}
