// What the API takes and gives, and made-up bodies of it.

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

type address struct {
	Street, City, Zip string
	Tags              map[string]string `json:"tags,omitempty"`
}

type item struct {
	Name     string    `json:"name"`
	Price    float64   `json:"price"`
	Quantity int       `json:"quantity"`
	Options  []string  `json:"options"`
	Added    time.Time `json:"added"`
}

type order struct {
	ID       int            `json:"id" xml:"id,attr"`
	Customer string         `json:"customer"`
	Ship     address        `json:"ship" xml:"-"`
	Items    []item         `json:"items" xml:"item"`
	Extra    map[string]any `json:"extra" xml:"-"`
}

func makeOrder(number int) order {
	random := rand.New(rand.NewPCG(uint64(number), 7))
	made := order{
		ID:       number,
		Customer: fmt.Sprintf("customer-%d <c%d@example.com>", number%997, number%997),
		Ship:     address{Street: "High Street 12", City: "Springfield", Zip: fmt.Sprint(10000 + number%89999), Tags: map[string]string{"floor": "3", "bell": "left"}},
		Extra:    map[string]any{"note": "leave at \"door\"", "weight": 1.5, "fragile": number%2 == 0, "list": []int{1, 2, 3}},
	}
	for nth := range 3 + random.IntN(12) {
		made.Items = append(made.Items, item{
			Name: fmt.Sprintf("item %d-%d", random.IntN(50), nth), Price: random.Float64() * 100, Quantity: 1 + random.IntN(9),
			Options: []string{"red", "large", "gift"}[:random.IntN(4)], Added: time.Unix(1_700_000_000+int64(number), 0).UTC(),
		})
	}
	return made
}

func orderJSON(call int) []byte {
	body, _ := json.Marshal(makeOrder(call))
	return body
}

func batchJSON(call int) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetIndent("", " ")
	for nth := range 8 {
		encoder.Encode(makeOrder(call + nth))
	}
	return body.Bytes()
}

func csvBody(call int) []byte {
	var body bytes.Buffer
	writer := csv.NewWriter(&body)
	for nth := range 150 {
		made := makeOrder(call + nth%5)
		writer.Write([]string{fmt.Sprint(nth), made.Customer, made.Items[0].Name, fmt.Sprintf("%.2f", made.Items[0].Price), "a \"quoted\", field"})
	}
	writer.Flush()
	return body.Bytes()
}

func blob(call int) []byte {
	random := rand.New(rand.NewPCG(uint64(call), 3))
	body := make([]byte, 24<<10)
	for at := range body {
		body[at] = "etaoin shrdlu"[random.IntN(13)]
	}
	return body
}
