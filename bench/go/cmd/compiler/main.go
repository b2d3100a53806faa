// Compiler type-checks, prints and searches packages of the standard library, recursion and all: the third of the four programs that
// the corpus is recorded from. It needs GOROOT in its environment.
package main

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/constant"
	"go/doc"
	"go/format"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/scanner"
	"go/token"
	"go/types"
	"log"
	"os"
	"path/filepath"
	"sync/atomic"
	"text/template/parse"

	"profusion/bench/go/internal/record"
	"profusion/bench/go/internal/release"
)

var packages = []string{
	"errors", "strings", "bytes", "sort", "strconv", "bufio", "fmt", "encoding/json", "text/template", "regexp", "regexp/syntax", "container/list",
	"compress/flate", "go/scanner", "go/ast", "go/printer", "text/tabwriter", "encoding/xml", "math/big", "net/url", "path/filepath", "archive/tar", "html/template", "flag",
}

func main() {
	build.Default.GOROOT = os.Getenv("GOROOT")
	build.Default.CgoEnabled = false
	record.Main([]record.Task{typeCheckFromSource, parseAndPrint, reformat, tokens, walk, constants, documentation, templates})
}

// sources gives the files of one package as they are on disk.
func sources(call int) []string {
	found, err := filepath.Glob(filepath.Join(build.Default.GOROOT, "src", packages[call%len(packages)], "*.go"))
	if err != nil || len(found) == 0 {
		log.Fatalf("cannot find the standard library below GOROOT=%q: %v", build.Default.GOROOT, err)
	}
	return found
}

// parsePackage parses the files of the package that this system would build.
func parsePackage(files *token.FileSet, path string) []*ast.File {
	found, err := build.Import(path, "", 0)
	if err != nil {
		log.Fatal(err)
	}
	var parsed []*ast.File
	for _, name := range found.GoFiles {
		file, err := parser.ParseFile(files, filepath.Join(found.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			log.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	return parsed
}

var checks atomic.Int64

// typeCheckFromSource checks a package and, now and then, all that it imports.
func typeCheckFromSource(call int) {
	files := token.NewFileSet()
	parsed := parsePackage(files, packages[call%len(packages)])
	config := types.Config{Importer: failing{}, Error: func(error) {}, FakeImportC: true}
	if checks.Add(1)%4 == 0 {
		config.Importer = importer.ForCompiler(files, "source", nil)
	}
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Instances: map[*ast.Ident]types.Instance{}}
	checked, _ := config.Check(packages[call%len(packages)], files, parsed, &info)
	if release.Second {
		for _, name := range checked.Scope().Names() {
			types.NewMethodSet(types.NewPointer(checked.Scope().Lookup(name).Type()))
			_ = types.ObjectString(checked.Scope().Lookup(name), types.RelativeTo(checked))
		}
	}
}

// failing imports nothing: the checker then works around what is missing, as an editor's does.
type failing struct{}

func (failing) Import(path string) (*types.Package, error) { return types.NewPackage(path, path), nil }

func parseAndPrint(call int) {
	files := token.NewFileSet()
	for _, file := range parsePackage(files, packages[call%len(packages)]) {
		var out bytes.Buffer
		(&printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}).Fprint(&out, files, file)
	}
}

func reformat(call int) {
	names := sources(call)
	text, err := os.ReadFile(names[call%len(names)])
	if err == nil {
		format.Source(text)
	}
}

func tokens(call int) {
	for _, name := range sources(call) {
		text, _ := os.ReadFile(name)
		var words scanner.Scanner
		words.Init(token.NewFileSet().AddFile(name, -1, len(text)), text, nil, scanner.ScanComments)
		for _, kind, _ := words.Scan(); kind != token.EOF; _, kind, _ = words.Scan() {
		}
	}
}

func walk(call int) {
	depths := map[int]int{}
	for _, file := range parsePackage(token.NewFileSet(), packages[call%len(packages)]) {
		ast.Walk(counter{0, depths}, file)
		ast.Inspect(file, func(node ast.Node) bool { _, stop := node.(*ast.FuncLit); return !stop })
	}
}

type counter struct {
	depth  int
	depths map[int]int
}

func (c counter) Visit(node ast.Node) ast.Visitor {
	c.depths[c.depth]++
	return counter{c.depth + 1, c.depths}
}

func constants(call int) {
	value := constant.MakeInt64(int64(call%97 + 3))
	for range 60 {
		value = constant.BinaryOp(value, token.MUL, constant.MakeFromLiteral("12345678901234567", token.INT, 0))
		value = constant.BinaryOp(value, token.ADD, constant.MakeFloat64(0.25))
		_ = value.ExactString()
	}
}

func documentation(call int) {
	files := token.NewFileSet()
	path := packages[call%len(packages)]
	made, err := doc.NewFromFiles(files, parsePackage(files, path), path)
	if err == nil {
		_ = made.HTML(made.Doc)
		for _, function := range made.Funcs {
			_ = made.Text(function.Doc)
		}
	}
}

func templates(int) {
	text := "{{range $i, $e := .A}}{{if and (gt $i 1) (lt $i 5)}}{{with .B}}{{. | printf \"%q\" | len}}{{else}}{{template \"x\" .}}{{end}}{{end}}{{end}}"
	for range 40 {
		tree, err := parse.Parse("main", text, "{{", "}}", map[string]any{"and": 1, "gt": 1, "lt": 1, "printf": 1, "len": 1})
		if err == nil {
			_ = tree["main"].Copy().Root.String()
		}
	}
}
