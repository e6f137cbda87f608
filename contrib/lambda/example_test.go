package lambda_test

import (
	"fmt"
	"net/http"
	"os"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/contrib/lambda"
	"github.com/cldcde/restash/strategies"
)

// The whole main of a function. Outside of Lambda Start says so.
func ExampleStart() {
	c, err := client.New(client.Config{URL: "https://eu1-example.upstash.io", Token: "token"}) // or client.FromEnv()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	store, err := strategies.NewStore(c, strategies.StoreConfig{Executor: lambda.Executor()})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	fmt.Println(lambda.Start(lambda.Config{Handler: mux, Store: store}))
	// Output:
	// lambda: AWS_LAMBDA_RUNTIME_API is not set: this is not Lambda
}
