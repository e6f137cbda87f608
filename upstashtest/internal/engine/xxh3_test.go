package engine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Digests of the reference implementation, for every branch of the algorithm.
func TestDigest(t *testing.T) {
	e := newEngine(t)
	b := make([]byte, 3000)
	for i := range b {
		b[i] = byte(i*7 + i/256)
	}
	for _, c := range []struct {
		n    int
		want string
	}{
		{0, "2d06800538d394c2"},
		{1, "c44bdff4074eecdb"},
		{2, "9093381c8763d62e"},
		{3, "c3489259e968ad9e"},
		{4, "d3d60c1519014e89"},
		{5, "559935c0f3f7327f"},
		{8, "b88dee77f6bf6980"},
		{9, "03688dcad730d826"},
		{15, "2e52bc81c6a30fa3"},
		{16, "9da23836adf2be1e"},
		{17, "f34c3c9cf5a112d1"},
		{31, "1c67766271b95c64"},
		{32, "99cb9ad0f1a11fbe"},
		{33, "c077b45492d29cde"},
		{64, "6efb76ff16f37561"},
		{65, "2640848e9137156b"},
		{96, "764d2d5db92942df"},
		{97, "077acb7e5f4fd940"},
		{127, "92113fc28f4b970c"},
		{128, "65f3c2c00fa93185"},
		{129, "28065c6ec25f5b25"},
		{130, "efd194879b822f04"},
		{160, "cc592da68fea2254"},
		{239, "6ce0b13191e635ea"},
		{240, "4917a75c0ef8eed7"},
		{241, "541b19226f0052e8"},
		{255, "99b37c2c806e33d3"},
		{256, "ff5a1cefade75bb9"},
		{257, "84eb2acdd4c7b1a1"},
		{511, "cdbe65adeaae8878"},
		{512, "e0410eb388a9c9fa"},
		{1023, "3d31fcc1037648a4"},
		{1024, "71bee625238addb4"},
		{1025, "d9b414f4e1bbf7ad"},
		{1088, "b74e423e955e509d"},
		{2000, "30bf30132f263cd7"},
		{2048, "3293e8238bd8f743"},
		{2049, "922549b11c04c2eb"},
		{3000, "f8b5749ec75008ab"},
	} {
		run(t, e, "SET", "k", string(b[:c.n]))
		assert.Equal(t, quote(c.want), run(t, e, "DIGEST", "k"), "%d bytes", c.n)
	}
	assert.Equal(t, "(nil)", run(t, e, "DIGEST", "none"))
}
