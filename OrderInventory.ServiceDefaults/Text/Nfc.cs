using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>
/// Unicode Normalization Form C (UAX #15). The runtime's own string.Normalize returns its argument unchanged without ICU, and the services run
/// without ICU (docs/adr/0028). Text is normalised on input, so that é is the same text however it was typed.
/// </summary>
public static class Nfc
{
    private const char FirstOfInterest = '\u0300';
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7, Vowels = 21, Trails = 28, Syllables = 11_172;

    private static readonly Lazy<Data> s_data = new(Data.Read);

    /// <summary>The text in NFC; the same object if it already is in NFC. Unpaired surrogates become U+FFFD.</summary>
    public static string Normalize(string text)
    {
        // Nothing below U+0300 changes or combines.
        if (text.AsSpan().IndexOfAnyInRange(FirstOfInterest, '\uFFFF') < 0)
        {
            return text;
        }

        var data = s_data.Value;
        var runes = new List<int>(text.Length);
        var changes = false;
        foreach (var rune in text.EnumerateRunes())
        {
            changes |= data.MayChange.Contains(rune.Value) || rune.Value is >= VowelBase and <= 0x11C2;
            runes.Add(rune.Value);
        }

        if (!changes)
        {
            return text;
        }

        var decomposed = new List<int>(runes.Count * 2);
        runes.ForEach(rune => Decompose(rune, data, decomposed));
        Reorder(decomposed, data);
        var result = ToText(Compose(decomposed, data));
        return result == text ? text : result;
    }

    private static void Decompose(int rune, Data data, List<int> into)
    {
        if (rune - HangulBase is >= 0 and < Syllables and var syllable)
        {
            into.Add(LeadBase + (syllable / (Vowels * Trails)));
            into.Add(VowelBase + (syllable % (Vowels * Trails) / Trails));
            if (syllable % Trails > 0)
            {
                into.Add(TrailBase + (syllable % Trails));
            }
        }
        else if (data.Decompositions.TryGetValue(rune, out var parts))
        {
            Array.ForEach(parts, part => Decompose(part, data, into));
        }
        else
        {
            into.Add(rune);
        }
    }

    /// <summary>
    /// Sorts the marks after a base by their classes; marks of one class keep their order. Each run is sorted once, so no text is slow.
    /// </summary>
    private static void Reorder(List<int> runes, Data data)
    {
        for (var start = 0; start < runes.Count; start++)
        {
            var end = start;
            while (end < runes.Count && data.ClassOf(runes[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                var sorted = runes.GetRange(start, end - start).OrderBy(data.ClassOf).ToList();
                for (var i = 0; i < sorted.Count; i++)
                {
                    runes[start + i] = sorted[i];
                }
            }

            start = end;
        }
    }

    private static List<int> Compose(List<int> runes, Data data)
    {
        var composed = new List<int>(runes.Count);
        var (starter, lastClass) = (-1, 0);
        foreach (var rune in runes)
        {
            var rank = data.ClassOf(rune);
            var blocked = starter >= 0 && composed.Count - 1 > starter && lastClass >= rank;
            if (starter >= 0 && !blocked && Pair(composed[starter], rune, data) is { } whole)
            {
                composed[starter] = whole;
                continue;
            }

            if (rank == 0)
            {
                starter = composed.Count;
            }

            lastClass = rank;
            composed.Add(rune);
        }

        return composed;
    }

    private static int? Pair(int first, int second, Data data)
    {
        if (first - LeadBase is >= 0 and < 19 and var lead && second - VowelBase is >= 0 and < Vowels and var vowel)
        {
            return HangulBase + (((lead * Vowels) + vowel) * Trails);
        }

        if (first - HangulBase is >= 0 and < Syllables and var syllable && syllable % Trails == 0 && second - TrailBase is > 0 and < Trails and var trail)
        {
            return first + trail;
        }

        return data.Compositions.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private static string ToText(List<int> runes)
    {
        var text = new StringBuilder(runes.Count);
        Span<char> chars = stackalloc char[2];
        foreach (var rune in runes)
        {
            text.Append(chars[..new Rune(rune).EncodeToUtf16(chars)]);
        }

        return text.ToString();
    }

    /// <summary>The data of <c>nfc.txt</c>.</summary>
    private sealed class Data
    {
        private readonly Dictionary<int, byte> _classes = [];

        public Dictionary<int, int[]> Decompositions { get; } = [];

        public Dictionary<(int First, int Second), int> Compositions { get; } = [];

        /// <summary>Code points that may change, or combine with the preceding one.</summary>
        public FrozenSet<int> MayChange { get; private set; } = FrozenSet<int>.Empty;

        public int ClassOf(int rune) => _classes.GetValueOrDefault(rune);

        public static Data Read()
        {
            var data = new Data();
            using var reader = new StreamReader(typeof(Nfc).Assembly.GetManifestResourceStream("nfc.txt")!);
            var never = new List<int>();
            while (reader.ReadLine() is { } line)
            {
                if (line.StartsWith('#'))
                {
                    continue;
                }

                if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                {
                    var rank = byte.Parse(line.AsSpan(0, colon), CultureInfo.InvariantCulture);
                    foreach (var range in line[(colon + 2)..].Split(' '))
                    {
                        var ends = range.Split('-');
                        for (var rune = Hex(ends[0]); rune <= Hex(ends[^1]); rune++)
                        {
                            data._classes[rune] = rank;
                        }
                    }

                    continue;
                }

                foreach (var entry in line.Split(' '))
                {
                    var sides = entry.Split('=');
                    var rune = Hex(sides[0].TrimEnd('!'));
                    int[] parts = [.. sides[1].Split('+').Select(Hex)];
                    data.Decompositions[rune] = parts;
                    if (sides[0].EndsWith('!'))
                    {
                        never.Add(rune);
                    }
                    else
                    {
                        data.Compositions[(parts[0], parts[1])] = rune;
                    }
                }
            }

            data.MayChange = data._classes.Keys.Concat(never).Concat(data.Compositions.Keys.Select(pair => pair.Second)).ToFrozenSet();
            return data;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
