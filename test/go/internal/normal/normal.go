// Package normal writes a profile in normal form: the text that is equal exactly when two merges mean the same.
// README.md of this module defines it; test/support/normal-form.ts is the same in TypeScript.
package normal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/google/pprof/profile"
)

// Form is a normal form in two parts, since the second depends on which profile showed an entity first.
type Form struct {
	// Text holds the header, the mappings' keys and the rows.
	Text string
	// Attributes holds, for each mapping, what its key leaves out: start, limit, file, build id, flags.
	Attributes string
}

// Digest is the SHA-256 of both parts in lower-case hexadecimal.
func (f Form) Digest() string {
	sum := sha256.Sum256([]byte(f.Text + f.Attributes))
	return hex.EncodeToString(sum[:])
}

// Of p, which must be valid.
func Of(p *profile.Profile) Form {
	rows := sumRows(p)
	lines := headerLines(p)
	used := map[string]bool{}
	attributes := map[string]bool{}
	if len(p.Mapping) > 0 {
		lines = append(lines, "main_mapping "+mappingKey(p.Mapping[0]))
		attributes["mapping_attributes "+mappingAttributes(p.Mapping[0])] = true
	}
	for _, r := range rows {
		for _, location := range r.first.Location {
			if location.Mapping != nil {
				used["mapping "+mappingKey(location.Mapping)] = true
				attributes["mapping_attributes "+mappingAttributes(location.Mapping)] = true
			}
		}
	}
	lines = append(lines, sortedKeys(used)...)
	var rowLines []string
	for key, r := range rows {
		rowLines = append(rowLines, "row "+key+" ="+joinNumbers(r.values))
	}
	sort.Strings(rowLines)
	lines = append(lines, rowLines...)
	return Form{Text: joinLines(lines), Attributes: joinLines(sortedKeys(attributes))}
}

func headerLines(p *profile.Profile) []string {
	types := "sample_types"
	for _, t := range p.SampleType {
		types += " " + quote(t.Type) + "/" + quote(t.Unit)
	}
	periodType := &profile.ValueType{}
	if p.PeriodType != nil {
		periodType = p.PeriodType
	}
	comments := "comments"
	for _, c := range p.Comments {
		comments += " " + quote(c)
	}
	return []string{
		types,
		"period_type " + quote(periodType.Type) + "/" + quote(periodType.Unit),
		fmt.Sprintf("period %d", p.Period),
		fmt.Sprintf("time_ns %d", p.TimeNanos),
		fmt.Sprintf("duration_ns %d", p.DurationNanos),
		comments,
		"drop_frames " + quote(p.DropFrames),
		"keep_frames " + quote(p.KeepFrames),
		"doc_url " + quote(p.DocURL),
		"default_sample_type " + quote(p.DefaultSampleType),
	}
}

type row struct {
	first  *profile.Sample
	values []int64
}

// sumRows adds equal rows, wrapping as int64 does, and drops those whose sums are all zero.
func sumRows(p *profile.Profile) map[string]*row {
	rows := map[string]*row{}
	for _, sample := range p.Sample {
		key := rowKey(sample)
		r := rows[key]
		if r == nil {
			r = &row{first: sample, values: make([]int64, len(sample.Value))}
			rows[key] = r
		}
		for i, value := range sample.Value {
			r.values[i] += value
		}
	}
	for key, r := range rows {
		if !slices.ContainsFunc(r.values, func(value int64) bool { return value != 0 }) {
			delete(rows, key)
		}
	}
	return rows
}

func rowKey(sample *profile.Sample) string {
	var out strings.Builder
	for _, location := range sample.Location {
		out.WriteString(locationKey(location))
		out.WriteByte(' ')
	}
	out.WriteByte('{')
	for _, key := range quotedOrder(sample.Label) {
		for _, value := range sample.Label[key] {
			if value != "" {
				fmt.Fprintf(&out, "%s=%s,", quote(key), quote(value))
			}
		}
	}
	out.WriteByte('}')
	out.WriteByte('{')
	for _, key := range quotedOrder(sample.NumLabel) {
		units := sample.NumUnit[key]
		for i, value := range sample.NumLabel[key] {
			unit := ""
			if i < len(units) {
				unit = units[i]
			}
			if value != 0 || unit != "" {
				fmt.Fprintf(&out, "%s=%d %s,", quote(key), value, quote(unit))
			}
		}
	}
	out.WriteByte('}')
	return out.String()
}

func locationKey(location *profile.Location) string {
	var out strings.Builder
	if m := location.Mapping; m == nil {
		fmt.Fprintf(&out, "[-+%d", location.Address)
	} else {
		fmt.Fprintf(&out, "[%s+%d", mappingKey(m), location.Address-m.Start)
	}
	for _, line := range location.Line {
		f := line.Function
		fmt.Fprintf(&out, " (%s %s %s %d:%d:%d)",
			quote(f.Name), quote(f.SystemName), quote(f.Filename), f.StartLine, line.Line, line.Column)
	}
	if location.IsFolded {
		out.WriteString(" folded")
	}
	out.WriteByte(']')
	return out.String()
}

// mappingKey rounds the size up to 4 KiB with uint64's wrap-around, as google/pprof does.
func mappingKey(m *profile.Mapping) string {
	size := (m.Limit - m.Start + 0xfff) / 0x1000 * 0x1000
	name := m.BuildID
	if name == "" {
		name = m.File
	}
	return fmt.Sprintf("%d@%d:%s", size, m.Offset, quote(name))
}

func mappingAttributes(m *profile.Mapping) string {
	return fmt.Sprintf("%s start=%d limit=%d file=%s build_id=%s functions=%t filenames=%t lines=%t inline=%t",
		mappingKey(m), m.Start, m.Limit, quote(m.File), quote(m.BuildID),
		m.HasFunctions, m.HasFilenames, m.HasLineNumbers, m.HasInlineFrames)
}

// quote leaves printable ASCII as it is and writes every other byte as \xNN, so that text sorts alike in every language.
func quote(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if b := s[i]; b < 0x20 || b > 0x7e || b == '"' || b == '\\' {
			fmt.Fprintf(&out, `\x%02x`, b)
		} else {
			out.WriteByte(b)
		}
	}
	out.WriteByte('"')
	return out.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// quotedOrder sorts keys by what stands in the text.
func quotedOrder[V any](m map[string]V) []string {
	keys := sortedKeys(m)
	sort.Slice(keys, func(i, j int) bool { return quote(keys[i]) < quote(keys[j]) })
	return keys
}

func joinNumbers(values []int64) string {
	text := ""
	for _, value := range values {
		text += fmt.Sprintf(" %d", value)
	}
	return text
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
