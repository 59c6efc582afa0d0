using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>One page of a list: <c>next</c> is the cursor of the following page, or null on the last.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>
/// Keyset paging by id: a cursor names the last row that was seen, so that rows written meanwhile do not repeat or hide other rows,
/// and page 1,000 costs as much as page 1. Cursors are opaque to callers, and those of another list are refused (400).
/// </summary>
/// <param name="list">The list's name, unique in the system. It is part of the cursors that callers hold, so it must not change.</param>
public sealed class Paging(string list)
{
    public const int DefaultLimit = 20;
    public const int MaxLimit = 100;

    private const int MarkBytes = 2;
    private const int IdBytes = 16;
    private const int MaxTextBytes = 300;

    private readonly byte[] _mark = SHA256.HashData(Encoding.UTF8.GetBytes(list))[..MarkBytes];

    /// <summary>Reads <c>limit</c> and <c>cursor</c> for a list that is ordered by a UUID; the problem is the 400 to answer.</summary>
    public ProblemHttpResult? Read(int? limit, string? cursor, out int take, out Guid? after)
    {
        after = null;
        var errors = ReadLimit(limit, out take);
        if (cursor is not null)
        {
            if (Decode(cursor) is { Length: IdBytes } id)
            {
                after = new Guid(id, bigEndian: true);
            }
            else
            {
                AddMalformedCursor(errors);
            }
        }

        return errors.Any ? errors.Malformed() : null;
    }

    /// <summary>As <see cref="Read"/>, for a list that is ordered by text. The list itself must check and interpret that text.</summary>
    public ProblemHttpResult? ReadText(int? limit, string? cursor, out int take, out string? after)
    {
        after = null;
        var errors = ReadLimit(limit, out take);
        if (cursor is not null)
        {
            if (Decode(cursor) is { Length: > 0 } text && Utf8.IsValid(text))
            {
                after = Encoding.UTF8.GetString(text);
            }
            else
            {
                AddMalformedCursor(errors);
            }
        }

        return errors.Any ? errors.Malformed() : null;
    }

    /// <summary>400: the cursor can be decoded, but does not belong to this list.</summary>
    public static ProblemHttpResult MalformedCursor()
    {
        var errors = new RequestErrors();
        AddMalformedCursor(errors);
        return errors.Malformed();
    }

    /// <summary>Makes a page of up to <paramref name="take"/> of the rows; read one row more than that to know whether there is a next page.</summary>
    public Page<T> ToPage<T>(IReadOnlyList<T> rows, int take, Func<T, Guid> id) =>
        rows.Count <= take ? new(rows, null) : new([.. rows.Take(take)], Encode(id(rows[take - 1]).ToByteArray(bigEndian: true)));

    /// <summary>As above, for a list that is ordered by text.</summary>
    public Page<T> ToPage<T>(IReadOnlyList<T> rows, int take, Func<T, string> key) =>
        rows.Count <= take ? new(rows, null) : new([.. rows.Take(take)], Encode(Encoding.UTF8.GetBytes(key(rows[take - 1]))));

    /// <summary>A cursor after the row with this id, for a list that stops at a row which it does not show.</summary>
    public string CursorOf(Guid id) => Encode(id.ToByteArray(bigEndian: true));

    private static RequestErrors ReadLimit(int? limit, out int take)
    {
        take = limit ?? DefaultLimit;
        var errors = new RequestErrors();
        errors.Require(take is >= 1 and <= MaxLimit, "limit", string.Create(CultureInfo.InvariantCulture, $"1 to {MaxLimit} is allowed."));
        return errors;
    }

    private static void AddMalformedCursor(RequestErrors errors) => errors.Add("cursor", "The cursor was not returned by this list.");

    private string Encode(byte[] key) => Base64Url.EncodeToString([.. _mark, .. key]);

    /// <summary>
    /// Reverses <see cref="Encode"/>, or returns null. Accepts only the exact form that it writes: the decoder would skip blanks and padding.
    /// </summary>
    private byte[]? Decode(string cursor)
    {
        var most = Base64Url.GetEncodedLength(MarkBytes + MaxTextBytes);
        if (cursor.Length > most || !Base64Url.IsValid(cursor))
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(cursor);
        return bytes.AsSpan().StartsWith(_mark) && Base64Url.EncodeToString(bytes) == cursor ? bytes[MarkBytes..] : null;
    }
}
