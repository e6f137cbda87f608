package main

import (
	"log/slog"
	"os"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"github.com/cldcde/restash/contrib/lambda"
	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/strategies"
)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	if err := run(); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

func run() error {
	app, err := catalog.FromEnv("pgx", strategies.StoreConfig{Executor: lambda.Executor()})
	if err != nil {
		return err
	}
	config := lambda.Config{Handler: app, Store: app.Store()}
	if os.Getenv("LAMBDA_EVENTS") == "apigateway" {
		config.Events = lambda.APIGateway
	}
	return lambda.Start(config)
}
