using System.IO.Pipelines;

namespace OrderInventory.ServiceDefaults.BulkFiles;

/// <summary>Recognises files that are not UTF-8 text by their first bytes, without consuming them.</summary>
internal static class FileEncoding
{
    /// <summary>What the file seems to be instead of UTF-8; null when it may be UTF-8.</summary>
    public static async Task<string?> SniffAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        var result = await reader.ReadAtLeastAsync(4, cancellationToken);
        Span<byte> first = stackalloc byte[4];
        var start = result.Buffer.Slice(0, Math.Min(4, result.Buffer.Length));
        System.Buffers.BuffersExtensions.CopyTo(start, first);
        var found = Describe(first[..(int)start.Length]);
        reader.AdvanceTo(result.Buffer.Start);
        return found;
    }

    private static string? Describe(ReadOnlySpan<byte> first) => first switch
    {
        [0xFF, 0xFE, 0, 0] or [0, 0, 0xFE, 0xFF] or [not 0, 0, 0, 0] or [0, 0, 0, not 0] => "UTF-32",
        [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [not 0, 0, ..] or [0, not 0, ..] => "UTF-16",
        [0x50, 0x4B, 3, 4] => "a ZIP archive or a spreadsheet file",
        [0x1F, 0x8B, ..] => "gzip",
        _ => null,
    };
}
