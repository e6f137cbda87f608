package main

import (
	"cmp"

	"github.com/spf13/pflag"

	"github.com/cldcde/restash/strategies"
)

// namespaceFlag is on every command that looks at caches.
func namespaceFlag(flags *pflag.FlagSet, namespace *string) {
	flags.StringVar(namespace, "namespace", "", "namespace of the caches (default: that of this environment, as the Store has it)")
}

// namespaceOr is the namespace in use: the given one or the Store's default,
// which depends on VERCEL_ENV.
func namespaceOr(given string) string {
	store, err := strategies.NewStore(nil, strategies.StoreConfig{})
	if err != nil {
		return cmp.Or(given, "restash")
	}
	return cmp.Or(given, store.Namespace())
}
