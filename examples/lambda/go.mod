module github.com/cldcde/restash/examples/lambda

go 1.26

require (
	github.com/cldcde/restash v0.0.0
	github.com/cldcde/restash/contrib/lambda v0.0.0
	github.com/jackc/pgx/v5 v5.12.0
)

require (
	github.com/aws/aws-lambda-go v1.55.1 // indirect
	github.com/dunglas/httpsfv v1.1.2 // indirect
	github.com/emmansun/base64 v0.9.0 // indirect
	github.com/goccy/go-json v0.12.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/mfridman/interpolate v0.0.2 // indirect
	github.com/pressly/goose/v3 v3.27.3 // indirect
	github.com/sethvargo/go-retry v0.4.0 // indirect
	github.com/sony/gobreaker/v2 v2.4.0 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)

replace (
	github.com/cldcde/restash => ../..
	github.com/cldcde/restash/contrib/lambda => ../../contrib/lambda
)
