package main

import (
	"errors"
	"fmt"

	"github.com/cldcde/restash/client"
)

// advised adds the next step to an error that has one.
func advised(err error) error {
	if step := nextStep(err); step != "" {
		return fmt.Errorf("%w; %s", err, step)
	}
	return err
}

func nextStep(err error) string {
	switch {
	case errors.Is(err, client.ErrAuth):
		return "is " + tokenVariable + " the REST token of this database, and not its Redis password? (restash doctor)"
	case errors.Is(err, client.ErrPermission):
		return "the token may not do this: is it the read-only one? (restash doctor)"
	case errors.Is(err, client.ErrQuota):
		return "the plan's limit is reached: see the database's page in the console (restash doctor)"
	case errors.Is(err, client.ErrTransport):
		return "nothing usable answered at that URL (restash doctor; a local server is restash serve)"
	}
	return ""
}
