package config

import "strings"

// nearest is the word among several that a misspelled one resembles; empty: none does.
func nearest(word string, known []string) string {
	if len(word) > maxKey {
		return ""
	}
	word = strings.ToLower(word)
	best, least := "", len(word)/3+2 // a third of the letters, and at most one for short words
	for _, k := range known {
		if d := distance(word, strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters are to be put in, taken out or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			changed := before
			if a[i] != b[j] {
				changed++
			}
			before = row[j+1]
			row[j+1] = min(changed, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
