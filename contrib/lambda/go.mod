module github.com/cldcde/restash/contrib/lambda

go 1.26

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/cldcde/restash v0.0.0
)

require (
	github.com/goccy/go-json v0.12.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	github.com/sony/gobreaker/v2 v2.4.0 // indirect
)

replace github.com/cldcde/restash => ../..
