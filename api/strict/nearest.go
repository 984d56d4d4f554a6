package strict

import "strings"

// maxWord bounds the words that Nearest compares: a comparison takes the product of both
// lengths.
const maxWord = 100

// Nearest returns the known word that a misspelled word resembles most, the first of several
// equally near ones; empty: no word is near. Case, dashes and underscores do not count. All
// refusals of a name use Nearest, so that they suggest alike.
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

// distance is the number of bytes to insert, delete or change (Levenshtein).
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
