package catalog

import (
	"bufio"
	"embed"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"time"
)

//go:embed data/catalog.tsv
var facts embed.FS

// record is an item with what only the database knows about it.
type record struct {
	kind     Kind
	item     Item
	votesSum int64
}

// sampleRecords reads the embedded facts and adds the made-up dates and votes.
func sampleRecords() ([]record, error) {
	file, err := facts.Open("data/catalog.tsv")
	if err != nil {
		return nil, fmt.Errorf("catalog: open the embedded data: %w", err)
	}
	defer file.Close()
	var records []record
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		if number == 1 {
			continue // the line of column names
		}
		rec, err := parseFact(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("catalog: embedded data, line %d: %w", number, err)
		}
		records = append(records, rec)
	}
	return records, lines.Err()
}

func parseFact(line string) (record, error) {
	f := strings.Split(line, "\t")
	if len(f) != 8 {
		return record{}, fmt.Errorf("%d columns, want 8", len(f))
	}
	downloads, err := strconv.ParseInt(f[7], 10, 64)
	if err != nil {
		return record{}, fmt.Errorf("downloads: %w", err)
	}
	rec := record{kind: Kind(f[0]), item: Item{
		ID: f[1], Name: f[2], Version: f[3], Author: f[4], Category: f[5], Platform: f[6], Downloads: downloads,
	}}
	rec.item.Description = describe(rec.kind, rec.item)
	addSample(&rec)
	return rec, nil
}

// describe composes a description from the facts, so that none is invented.
func describe(kind Kind, item Item) string {
	what := "Extension"
	if kind == MCP {
		what = "MCP server"
	}
	text := fmt.Sprintf("%s %s in %s", what, item.Name, item.Category)
	if item.Platform != "any" {
		text += " for " + item.Platform
	}
	if item.Author != "" {
		text += ", published by " + item.Author
	}
	return text + "."
}

// Sample dates lie between these two, so that what a user publishes today is
// always the most recent.
var (
	firstSampleDate = time.Date(2024, 11, 25, 0, 0, 0, 0, time.UTC)
	lastSampleDate  = time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)
)

// addSample makes up dates and votes from a hash of the id: the same on every
// machine, and in another order than the downloads.
func addSample(rec *record) {
	id := string(rec.kind) + "/" + rec.item.ID
	span := lastSampleDate.Sub(firstSampleDate) / time.Minute
	age := time.Duration(sampleNumber("published", id, uint64(span))) * time.Minute
	rec.item.PublishedAt = firstSampleDate.Add(age)
	rest := lastSampleDate.Sub(rec.item.PublishedAt) / time.Minute
	rec.item.UpdatedAt = rec.item.PublishedAt.Add(time.Duration(sampleNumber("updated", id, uint64(rest)+1)) * time.Minute)
	rec.item.Votes = 3 + int64(sampleNumber("votes", id, 400))
	mean := 2 + float64(sampleNumber("mean", id, 291))/100 // 2.00 to 4.90 stars
	rec.votesSum = int64(math.Round(mean * float64(rec.item.Votes)))
	rec.item.Rating = float64(rec.votesSum) / float64(rec.item.Votes)
	rec.item.Sample = true
}

// sampleUsers makes up one profile for each author of the records.
func sampleUsers(records []record) []User {
	var users []User
	known := map[string]bool{"": true} // an item without a scope has no user
	for _, rec := range records {
		if !known[rec.item.Author] {
			known[rec.item.Author] = true
			users = append(users, sampleUser(rec.item.Author))
		}
	}
	return users
}

// sampleUser makes up a profile for an author of the facts.
func sampleUser(name string) User {
	joined := firstSampleDate.Add(-time.Duration(sampleNumber("joined", name, 1000)) * 24 * time.Hour)
	return User{
		Name: name, DisplayName: name, Bio: "Publishes packages under @" + name + ".",
		Website: "https://www.npmjs.com/org/" + name, JoinedAt: joined, Sample: true,
	}
}

// sampleNumber returns a number below limit that depends on the two texts only.
func sampleNumber(what, id string, limit uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what + "\x00" + id)) // a hash never fails to write
	sum := h.Sum64()
	sum ^= sum >> 29 // FNV's high bits barely differ for like texts
	sum *= 0xbf58476d1ce4e5b9
	return (sum ^ sum>>32) % limit
}
