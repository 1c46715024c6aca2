package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/tus/tusd/v2/pkg/filelocker"
	"github.com/tus/tusd/v2/pkg/filestore"
	tusd "github.com/tus/tusd/v2/pkg/handler"
)

func main() {
	store := filestore.New(os.Args[1])
	locker := filelocker.New(os.Args[1])
	composer := tusd.NewStoreComposer()
	store.UseIn(composer)
	locker.UseIn(composer)
	handler, err := tusd.NewHandler(tusd.Config{BasePath: "/v1/uploads", StoreComposer: composer})
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
	if err != nil {
		panic(err)
	}
	fmt.Println("listening")
	http.Handle("/v1/uploads", http.StripPrefix("/v1/uploads", handler))
	http.Handle("/v1/uploads/", http.StripPrefix("/v1/uploads/", handler))
	panic(http.Serve(listener, nil))
}
