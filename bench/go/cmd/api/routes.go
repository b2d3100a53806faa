// The handlers of the API: each leans on other parts of the standard library, so that their stacks differ.

package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"text/template"
	"time"

	"profusion/bench/go/internal/release"
)

var (
	email   = regexp.MustCompile(`(?i)<([a-z0-9._%+-]+)@([a-z0-9.-]+\.[a-z]{2,})>`)
	itemRef = regexp.MustCompile(`item (\d+)-(\d+)`)
	report  = template.Must(template.New("report").Parse(`{{range .}}{{.Customer | printf "%-30s"}} {{len .Items}}{{range .Items}} {{.Name}}:{{printf "%.2f" .Price}}{{end}}
{{end}}`))
	key, _ = ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	logger = slog.New(slog.NewJSONHandler(io.Discard, nil))
)

type who struct{}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", createOrder)
	mux.HandleFunc("POST /orders/batch", createBatch)
	mux.HandleFunc("GET /search", search)
	mux.HandleFunc("GET /report", makeReport)
	mux.HandleFunc("POST /upload", upload)
	mux.HandleFunc("GET /export.xml", exportXML)
	mux.HandleFunc("GET /sign", sign)
	mux.HandleFunc("POST /import.csv", importCSV)
	if release.Second {
		return withLog(withUser(http.Handler(mux)))
	}
	return withLog(mux)
}

func withLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		next.ServeHTTP(w, r)
		logger.Info("request", "method", r.Method, "path", r.URL.Path, "took", time.Since(start), slog.Group("peer", "address", r.RemoteAddr))
	})
}

func withUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := hmac.New(sha256.New, []byte("secret"))
		io.WriteString(sum, r.URL.RequestURI())
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), who{}, hex.EncodeToString(sum.Sum(nil)))))
	})
}

func createOrder(w http.ResponseWriter, r *http.Request) {
	var sent order
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, priced(sent))
}

func createBatch(w http.ResponseWriter, r *http.Request) {
	decoder := json.NewDecoder(r.Body)
	totals := map[string]float64{}
	for {
		var sent map[string]any
		if err := decoder.Decode(&sent); err != nil {
			break
		}
		for _, each := range sent["items"].([]any) {
			fields := each.(map[string]any)
			totals[fields["name"].(string)] += fields["price"].(float64) * fields["quantity"].(float64)
		}
	}
	writeJSON(w, totals)
}

func priced(sent order) order {
	total := new(big.Float)
	for _, each := range sent.Items {
		total.Add(total, new(big.Float).Mul(big.NewFloat(each.Price), big.NewFloat(float64(each.Quantity))))
	}
	sent.Extra["total"] = total.Text('f', 2)
	if match := email.FindStringSubmatch(sent.Customer); match != nil {
		sent.Extra["host"] = strings.ToUpper(match[2])
	}
	if release.Second {
		slices.SortFunc(sent.Items, func(a, b item) int { return strings.Compare(a.Name, b.Name) })
	} else {
		sort.Slice(sent.Items, func(a, b int) bool { return sent.Items[a].Name < sent.Items[b].Name })
	}
	return sent
}

func search(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	found := map[string][]order{}
	for number := range 60 {
		made := makeOrder(number)
		for _, each := range made.Items {
			if itemRef.MatchString(each.Name) && strings.Contains(strings.ToLower(each.Name), query.Get("q")) {
				found[each.Name] = append(found[each.Name], made)
			}
		}
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, itemRef.ReplaceAllString(name, "$2/$1"))
	}
	sort.Sort(sort.Reverse(sort.StringSlice(names)))
	writeJSON(w, names)
}

func makeReport(w http.ResponseWriter, r *http.Request) {
	month, _ := strconv.Atoi(r.FormValue("month"))
	orders := make([]order, 0, 25)
	for number := range 25 {
		orders = append(orders, makeOrder(month*100+number))
	}
	sort.SliceStable(orders, func(a, b int) bool { return orders[a].Items[0].Price < orders[b].Items[0].Price })
	w.Header().Set("Content-Encoding", "x-zlib")
	packed := zlib.NewWriter(w)
	if err := report.Execute(packed, orders); err != nil {
		logger.Error("report", "error", err)
	}
	packed.Close()
}

func upload(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write(body)
	writer.Close()
	reader, _ := gzip.NewReader(&packed)
	again, _ := io.ReadAll(reader)
	fmt.Fprintf(w, "%x %x %s", sha256.Sum256(again), sha512.Sum512(body), base64.StdEncoding.EncodeToString(body[:600]))
}

func exportXML(w http.ResponseWriter, r *http.Request) {
	encoder := xml.NewEncoder(w)
	from, _ := strconv.Atoi(r.FormValue("from"))
	for number := range 6 {
		encoder.Encode(makeOrder(from + number))
	}
	encoder.Flush()
}

func sign(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.FormValue("user") + time.Now().Format(time.RFC1123)))
	signature, _ := ecdsa.SignASN1(crand.Reader, key, sum[:])
	http.SetCookie(w, &http.Cookie{Name: "session", Value: base64.URLEncoding.EncodeToString(signature), Path: "/", HttpOnly: true})
	writeJSON(w, map[string]any{"valid": ecdsa.VerifyASN1(&key.PublicKey, sum[:], signature)})
}

func importCSV(w http.ResponseWriter, r *http.Request) {
	rows, _ := csv.NewReader(r.Body).ReadAll()
	byCustomer := map[string]int{}
	for _, row := range rows {
		price, _ := strconv.ParseFloat(row[3], 64)
		byCustomer[strings.TrimSpace(row[1])] += int(price * 100)
	}
	writeJSON(w, byCustomer)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		logger.Error("answer", "error", err)
	}
}
