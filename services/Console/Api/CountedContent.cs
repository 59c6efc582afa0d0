using System.Net;

namespace OrderInventory.Console.Api;

/// <summary>A file that is sent to the API and reports how much of it has been sent.</summary>
internal sealed class CountedContent(Stream file, Func<long, Task> sent) : HttpContent
{
    /// <summary>The page is rendered again after this many bytes, not for each buffer.</summary>
    private const int Step = 256 * 1024;

    /// <summary>The file was changed or removed after it was selected: the browser no longer reads it.</summary>
    public bool IsUnreadable { get; private set; }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var buffer = new byte[32 * 1024];
        var (total, reported) = (0L, 0L);
        int read;
        while ((read = await ReadAsync(buffer)) > 0)
        {
            await stream.WriteAsync(buffer.AsMemory(0, read));
            total += read;
            if (total - reported >= Step)
            {
                reported = total;
                await sent(total);
            }
        }

        await sent(total);
    }

    private async Task<int> ReadAsync(byte[] buffer)
    {
        try
        {
            return await file.ReadAsync(buffer);
        }
        catch
        {
            IsUnreadable = true;
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
