using System.Text;

namespace OrderInventory.Products.Data;

/// <summary>
/// PostgreSQL full-text search with the configuration <c>simple</c>: no stemming or stop words of any language, so every language works
/// and a product is found by the words that it has. ASCII punctuation counts as a blank in products and queries; the parser would otherwise
/// read <c>TEA-001</c> as <c>tea</c> and the number <c>-001</c>, and find neither <c>tea 001</c> nor <c>tea-0</c>.
/// </summary>
internal static class ProductSearch
{
    /// <summary>Maximum length of a search text.</summary>
    public const int MaxLength = 200;

    public const string Configuration = "simple";

    private const string Punctuation = @"!""#$%&'()*+,-./:;<=>?@[\]^_`{|}~";

    /// <summary>
    /// The generated column: SKU and name have weight A, category and attributes B, the description C. The names of attributes are searched
    /// too, so that "organic" finds <c>"organic": "yes"</c>.
    /// </summary>
    public static readonly string Vector = string.Join(" || ",
        Weighted("A", "sku"), Weighted("A", "name"), Weighted("B", "coalesce(category, '')"),
        Weighted("B", "attributes::text"), Weighted("C", "coalesce(description, '')"));

    /// <summary>
    /// The query that finds products with all words of the text, the last one as a prefix (somebody may still be typing it); null
    /// when the text has no word. Each word is quoted and contains neither quotes nor backslashes, so no text causes a syntax error.
    /// </summary>
    /// <param name="text">What was typed.</param>
    /// <param name="weights">Matches only words with one of these weights: <c>A</c> is SKU and name.</param>
    public static string? ToQuery(string text, string weights = "")
    {
        var query = new StringBuilder();
        var words = new string([.. text.Select(c => IsBlank(c) ? ' ' : c)]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < words.Length; i++)
        {
            var last = i == words.Length - 1;
            query.Append(i == 0 ? "" : " & ").Append('\'').Append(words[i]).Append('\'').Append(last || weights != "" ? ":" : "").Append(last ? "*" : "").Append(weights);
        }

        return query.Length == 0 ? null : query.ToString();
    }

    private static bool IsBlank(char c) => char.IsWhiteSpace(c) || char.IsControl(c) || Punctuation.Contains(c, StringComparison.Ordinal);

    private static string Weighted(string weight, string text) =>
        $"setweight(to_tsvector('{Configuration}', translate({text}, '{Punctuation.Replace("'", "''", StringComparison.Ordinal)}', '{new string(' ', Punctuation.Length)}')), '{weight}')";
}
