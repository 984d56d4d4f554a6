package strict

import "strings"

// maxWord bounds the words that Nearest compares: a comparison takes the product of both
// lengths.
const maxWord = 100

// Nearest is the word among known that a misspelled word resembles most, the first of
// several that resemble it alike; empty: none does. Case, dashes and underscores do not
// count. Every place that refuses a name suggests with it, so that all suggest alike.
func Nearest(word string, known []string) string {
	if len(word) > maxWord {
		return ""
	}
	word = letters(word)
	best, least := "", len(word)/3+2 // a third of the letters, and at most one for short words
	for _, k := range known {
		if len(k) > maxWord {
			continue
		}
		if d := distance(word, letters(k)); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance is how many bytes are to be put in, taken out or changed (Levenshtein).
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

// letters is a name without case, dashes and underscores, in which writers of manifests
// differ.
func letters(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}
