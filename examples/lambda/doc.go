// Command lambda is the sample platform as a Lambda function behind a Function
// URL, or behind an HTTP API if LAMBDA_EVENTS is "apigateway".
package main
