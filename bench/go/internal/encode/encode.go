// Package encode writes CPU profiles as Go's runtime writes them, byte for byte: tables in the order of first use, ids dense from 1,
// strings last, gzip at its quickest. google/pprof's own writer orders all tables anew and packs everything, which agents in Go never send.
package encode

import (
	"bytes"
	"compress/gzip"
	"maps"
	"slices"

	"github.com/google/pprof/profile"
)

// Field numbers of profile.proto.
const (
	profileSampleType, profileSample, profileMapping, profileLocation, profileFunction, profileStrings = 1, 2, 3, 4, 5, 6
	profileTime, profileDuration, profilePeriodType, profilePeriod                                     = 9, 10, 11, 12
)

type tables struct {
	out       writer
	strings   map[string]uint64
	texts     []string
	locations map[uint64]uint64 // by address: all rows are of one build of one program
	functions map[string]uint64
}

// CPU returns the gzipped profile. Rows may share locations by address and come from several profiles of one process.
func CPU(source *profile.Profile) ([]byte, error) {
	t := tables{strings: map[string]uint64{"": 0}, texts: []string{""}, locations: map[uint64]uint64{}, functions: map[string]uint64{}}
	t.out.uintOpt(profileTime, uint64(source.TimeNanos))
	for _, each := range source.SampleType {
		t.valueType(profileSampleType, each)
	}
	t.out.uintOpt(profileDuration, uint64(source.DurationNanos))
	t.valueType(profilePeriodType, source.PeriodType)
	t.out.uintOpt(profilePeriod, uint64(source.Period))
	for _, row := range source.Sample {
		t.sample(row)
	}
	for _, each := range source.Mapping {
		t.mapping(each)
	}
	for _, text := range t.texts {
		t.out.message(profileStrings, []byte(text))
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := zip.Write(t.out.bytes); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func (t *tables) text(text string) uint64 {
	id, known := t.strings[text]
	if !known {
		id = uint64(len(t.texts))
		t.strings[text] = id
		t.texts = append(t.texts, text)
	}
	return id
}

func (t *tables) valueType(field int, value *profile.ValueType) {
	var message writer
	message.uint(1, t.text(value.Type))
	message.uint(2, t.text(value.Unit))
	t.out.message(field, message.bytes)
}

func (t *tables) sample(row *profile.Sample) {
	ids := make([]uint64, len(row.Location))
	for at, location := range row.Location {
		ids[at] = t.location(location)
	}
	values := make([]uint64, len(row.Value))
	for at, value := range row.Value {
		values[at] = uint64(value)
	}
	var message writer
	message.uints(2, values)
	message.uints(1, ids)
	for _, key := range slices.Sorted(maps.Keys(row.Label)) {
		for _, value := range row.Label[key] {
			var label writer
			label.uintOpt(1, t.text(key))
			label.uintOpt(2, t.text(value))
			message.message(3, label.bytes)
		}
	}
	t.out.message(profileSample, message.bytes)
}

// location writes the location and, behind it, the functions that it is the first to name.
func (t *tables) location(location *profile.Location) uint64 {
	if id, known := t.locations[location.Address]; known {
		return id
	}
	id := uint64(len(t.locations) + 1)
	t.locations[location.Address] = id
	var message writer
	message.uintOpt(1, id)
	message.uintOpt(3, location.Address)
	var fresh []*profile.Function
	for _, each := range location.Line {
		function, known := t.functions[each.Function.Name]
		if !known {
			function = uint64(len(t.functions) + 1)
			t.functions[each.Function.Name] = function
			fresh = append(fresh, each.Function)
		}
		var line writer
		line.uintOpt(1, function)
		line.uintOpt(2, uint64(each.Line))
		message.message(4, line.bytes)
	}
	if location.Mapping != nil {
		message.uintOpt(2, location.Mapping.ID)
	}
	t.out.message(profileLocation, message.bytes)
	for _, each := range fresh {
		t.function(each)
	}
	return id
}

func (t *tables) function(function *profile.Function) {
	var message writer
	message.uintOpt(1, t.functions[function.Name])
	message.uintOpt(2, t.text(function.Name))
	message.uintOpt(3, t.text(function.SystemName))
	message.uintOpt(4, t.text(function.Filename))
	message.uintOpt(5, uint64(function.StartLine))
	t.out.message(profileFunction, message.bytes)
}

func (t *tables) mapping(mapping *profile.Mapping) {
	var message writer
	message.uintOpt(1, mapping.ID)
	message.uintOpt(2, mapping.Start)
	message.uintOpt(3, mapping.Limit)
	message.uintOpt(4, mapping.Offset)
	message.uintOpt(5, t.text(mapping.File))
	message.uintOpt(6, t.text(mapping.BuildID))
	if mapping.HasFunctions {
		message.uint(7, 1)
	}
	t.out.message(profileMapping, message.bytes)
}
