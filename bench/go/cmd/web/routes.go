// The pages: each leans on other parts of the standard library, so that their stacks differ.

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"html"
	"html/template"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"math"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"profusion/bench/go/internal/release"
)

var (
	page = template.Must(template.New("page").Funcs(template.FuncMap{"title": title}).Parse(`<!doctype html><title>{{.Title}}</title>
<ul>{{range $nth, $row := .Rows}}<li class="{{if eq $nth 0}}first{{end}}" data-x="{{$row.ID}}"><a href="/page/{{$row.ID}}?q={{$row.Text}}" onclick="go({{$row}})">{{title $row.Text}}</a></li>{{end}}</ul>
{{template "footer" .}}{{define "footer"}}<p style="color: {{.Color}}">{{.Now.Format "Jan 2, 2006"}}</p>{{end}}`))
	link = regexp.MustCompile(`https?://[^\s"<>]+`)
)

type row struct {
	ID   int
	Text string
}

func routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /page/{id}": showPage, "GET /thumbnail/{name}": thumbnail, "GET /chart/{name}": chart, "GET /feed": feed,
		"GET /table/{id}": table, "POST /comment": comment, "GET /mail/{id}": sendMail, "GET /photo/{name}": photo,
	} {
		mux.HandleFunc(pattern, labelled(pattern, handler))
	}
	return mux
}

// labelled runs the handler under the labels that services in the wild set: who asks, and for what.
func labelled(pattern string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		labels := pprof.Labels("endpoint", pattern, "tenant", r.Header.Get("X-Tenant"))
		pprof.Do(r.Context(), labels, func(labelled context.Context) {
			if release.Second {
				guarded(next).ServeHTTP(w, r.WithContext(labelled))
				return
			}
			next(w, r.WithContext(labelled))
		})
	}
}

func guarded(next http.Handler) http.Handler {
	return http.TimeoutHandler(next, time.Minute, "too slow")
}

func title(text string) string {
	return strings.Map(func(letter rune) rune {
		if unicode.IsSpace(letter) {
			return '\u00a0'
		}
		return unicode.ToUpper(letter)
	}, text)
}

func showPage(w http.ResponseWriter, r *http.Request) {
	rows := make([]row, 30)
	for nth := range rows {
		rows[nth] = row{nth, strings.Repeat("word & more ", nth%5) + r.PathValue("id")}
	}
	var out bytes.Buffer
	if err := page.Execute(&out, map[string]any{"Title": "Page " + r.PathValue("id"), "Rows": rows, "Color": "red", "Now": time.Now()}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out.WriteTo(w)
}

func paint(size int) *image.RGBA {
	canvas := image.NewRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			wave := math.Sin(float64(x)/9)*math.Cos(float64(y)/7)*0.5 + 0.5
			canvas.Set(x, y, color.RGBA{uint8(wave * 255), uint8(x), uint8(y), 255})
		}
	}
	return canvas
}

func thumbnail(w http.ResponseWriter, _ *http.Request) {
	large := paint(72)
	small := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	draw.Draw(small, small.Bounds(), large, image.Pt(8, 8), draw.Over)
	png.Encode(w, small)
}

func photo(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer
	jpeg.Encode(&out, paint(96), &jpeg.Options{Quality: 80})
	decoded, _ := jpeg.Decode(bytes.NewReader(out.Bytes()))
	fmt.Fprint(w, decoded.Bounds(), out.Len())
}

func chart(w http.ResponseWriter, _ *http.Request) {
	frame := image.NewPaletted(image.Rect(0, 0, 64, 64), palette.Plan9)
	draw.FloydSteinberg.Draw(frame, frame.Bounds(), paint(64), image.Point{})
	gif.EncodeAll(w, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}})
}

type entry struct {
	XMLName xml.Name  `xml:"entry"`
	Title   string    `xml:"title"`
	Body    string    `xml:"content"`
	Updated time.Time `xml:"updated"`
}

func feed(w http.ResponseWriter, r *http.Request) {
	tags := r.URL.Query()["tag"]
	out := bufio.NewWriter(w)
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	for nth := range 25 {
		encoder.Encode(entry{Title: fmt.Sprintf("%d of %v", nth, tags), Body: html.EscapeString(strings.Join(tags, "<br>")), Updated: time.Now()})
	}
	out.Flush()
}

func table(w http.ResponseWriter, r *http.Request) {
	counts := map[string]int{}
	for word := range strings.FieldsSeq(strings.Repeat("the quick brown fox jumps over the lazy dog "+r.PathValue("id")+" ", 60)) {
		counts[word]++
	}
	out := tabwriter.NewWriter(w, 2, 4, 1, ' ', tabwriter.AlignRight)
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(out, "%s\t%d\t%8.3f\t%q\n", word, counts[word], float64(counts[word])/7, word)
	}
	out.Flush()
}

func comment(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer r.MultipartForm.RemoveAll()
	text := link.ReplaceAllStringFunc(r.FormValue("text"), func(found string) string { return "[" + strings.TrimPrefix(found, "https://") + "]" })
	file, _, _ := r.FormFile("attachment")
	lines := 0
	for scanner := bufio.NewScanner(file); scanner.Scan(); lines++ {
		text += strings.TrimSpace(scanner.Text())[:1]
	}
	io.WriteString(w, html.UnescapeString(html.EscapeString(text)))
}

func sendMail(w http.ResponseWriter, r *http.Request) {
	address, _ := mail.ParseAddress("Jane Doe <jane+" + r.PathValue("id") + "@example.com>")
	body := quotedprintable.NewWriter(w)
	fmt.Fprintf(body, "To: %s\n\n%s", address, strings.Repeat("Grüße aus Köln, 100 % = 1 ", 80))
	body.Close()
}
