using System.Buffers.Text;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>One page of a list: <c>next</c> is the cursor of the following page, or null on the last.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>
/// Keyset paging by id: a cursor names the last row that was seen, so that rows written meanwhile neither repeat nor hide others,
/// and page 1,000 costs what page 1 costs. Cursors are opaque to callers.
/// </summary>
public static class Paging
{
    public const int DefaultLimit = 20;
    public const int MaxLimit = 100;

    /// <summary>Reads <c>limit</c> and <c>cursor</c> for a list that is ordered by a UUID; the problem is the 400 to answer.</summary>
    public static ProblemHttpResult? Read(int? limit, string? cursor, out int take, out Guid? after)
    {
        take = limit ?? DefaultLimit;
        after = null;
        var errors = new RequestErrors();
        errors.Require(take is >= 1 and <= MaxLimit, "limit", string.Create(CultureInfo.InvariantCulture, $"1 to {MaxLimit} is allowed."));
        if (cursor is not null)
        {
            var decoded = new byte[16];
            if (cursor.Length == 22
                && Base64Url.TryDecodeFromChars(cursor, decoded, out var written) && written == 16)
            {
                after = new Guid(decoded, bigEndian: true);
            }
            else
            {
                errors.Add("cursor", "The cursor is not one that this list has given.");
            }
        }

        return errors.Any ? errors.Malformed() : null;
    }

    /// <summary>Makes a page of up to <paramref name="take"/> of the rows; read one row more than that to know whether there is a next page.</summary>
    public static Page<T> ToPage<T>(IReadOnlyList<T> rows, int take, Func<T, Guid> id) =>
        rows.Count <= take ? new(rows, null) : new([.. rows.Take(take)], Cursor(id(rows[take - 1])));

    private static string Cursor(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }
}
