using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OrderInventory.TestSupport;

/// <summary>A POST that is sent chunk by chunk while its answer is read line by line.</summary>
public sealed class ChunkedRequest : IDisposable
{
    private readonly TcpClient _client = new();
    private readonly StreamReader _answer;

    private ChunkedRequest(Uri server)
    {
        _client.Connect(server.Host, server.Port);
        _answer = new(_client.GetStream());
    }

    public static async Task<ChunkedRequest> StartAsync(Uri server, string path, string contentType)
    {
        var request = new ChunkedRequest(server);
        await request.SendRawAsync($"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {TestAuthority.Everything}\r\nContent-Type: {contentType}\r\nTransfer-Encoding: chunked\r\n\r\n");
        return request;
    }

    public Task SendAsync(string text) => SendRawAsync($"{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n");

    public Task EndAsync() => SendRawAsync("0\r\n\r\n");

    /// <summary>Sends an invalid chunk: the rest of the body cannot be read.</summary>
    public Task BreakAsync() => SendRawAsync("none\r\n");

    /// <summary>The next line of the answer that contains the text.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await _answer.ReadLineAsync(timeout.Token) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"The answer ended without {text}.");
    }

    public void Dispose()
    {
        _answer.Dispose();
        _client.Dispose();
    }

    private async Task SendRawAsync(string text) => await _client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text));
}

/// <summary>One line of NDJSON repeated many times, never in memory as a whole, without a length unless one is set.</summary>
public sealed class RepeatedContent : HttpContent
{
    private readonly byte[] _block;
    private readonly long _blocks;

    public RepeatedContent(string line, long count)
    {
        const int linesPerBlock = 10;
        _block = [.. Enumerable.Repeat(Encoding.UTF8.GetBytes(line + "\n"), linesPerBlock).SelectMany(bytes => bytes)];
        _blocks = count / linesPerBlock;
        Headers.ContentType = new("application/x-ndjson");
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        for (var i = 0L; i < _blocks; i++)
        {
            await stream.WriteAsync(_block);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
