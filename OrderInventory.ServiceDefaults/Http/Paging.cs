using System.Buffers.Text;
using System.Globalization;
using System.Text;
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

    private const int MaxTextBytes = 300;
    private const string UnknownCursor = "The cursor is not one that this list has given.";

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
                errors.Add("cursor", UnknownCursor);
            }
        }

        return errors.Any ? errors.Malformed() : null;
    }

    /// <summary>As <see cref="Read"/>, for a list that is ordered by text. What that text means, and whether it means anything, its list knows.</summary>
    public static ProblemHttpResult? ReadText(int? limit, string? cursor, out int take, out string? after)
    {
        after = null;
        if (Read(limit, null, out take, out _) is { } problem)
        {
            return problem;
        }

        if (cursor is not null)
        {
            var decoded = new byte[MaxTextBytes];
            if (cursor.Length is 0 or > MaxTextBytes || !Base64Url.IsValid(cursor) || !Base64Url.TryDecodeFromChars(cursor, decoded, out var written))
            {
                return MalformedCursor();
            }

            after = Encoding.UTF8.GetString(decoded, 0, written);
        }

        return null;
    }

    /// <summary>400: a cursor that can be read, but is not one of this list's.</summary>
    public static ProblemHttpResult MalformedCursor() => Problems.MalformedRequest("cursor", UnknownCursor);

    /// <summary>Makes a page of up to <paramref name="take"/> of the rows; read one row more than that to know whether there is a next page.</summary>
    public static Page<T> ToPage<T>(IReadOnlyList<T> rows, int take, Func<T, Guid> id) =>
        rows.Count <= take ? new(rows, null) : new([.. rows.Take(take)], Cursor(id(rows[take - 1])));

    /// <summary>As above, for a list that is ordered by text.</summary>
    public static Page<T> ToPage<T>(IReadOnlyList<T> rows, int take, Func<T, string> key) => rows.Count <= take
        ? new(rows, null)
        : new([.. rows.Take(take)], Base64Url.EncodeToString(Encoding.UTF8.GetBytes(key(rows[take - 1]))));

    private static string Cursor(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }
}
