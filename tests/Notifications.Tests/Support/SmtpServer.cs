using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>The part of a mail server that sending needs: RFC 5321's minimum, on loopback. It can go down and come back on its port.</summary>
internal sealed class SmtpServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<Mail> _mails = new();
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly int _port;
    private TcpListener? _listener;

    public SmtpServer()
    {
        Start();
        _port = ((IPEndPoint)_listener!.LocalEndpoint).Port;
    }

    public string ConnectionString => $"smtp://127.0.0.1:{_port}";

    public IReadOnlyList<Mail> Mails => [.. _mails];

    public int Connections { get; private set; }

    /// <summary>Whether it requires a login before anything else.</summary>
    public bool RequiresLogin { get; set; }

    /// <summary>When set, a mail has arrived, but it is acknowledged only when this task ends.</summary>
    public TaskCompletionSource? Hold { get; set; }

    /// <summary>Recipients that are refused permanently.</summary>
    public ConcurrentDictionary<string, bool> Refused { get; } = new();

    public void Start()
    {
        _listener = new(IPAddress.Loopback, _port);
        _listener.Start();
        _ = AcceptAsync(_listener);
    }

    public void Stop()
    {
        _listener?.Dispose();
        foreach (var client in _clients)
        {
            client.Dispose();
        }
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                _clients.Add(client);
                Connections++;
                _ = TalkAsync(client);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The listener was stopped.
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        try
        {
            using var _ = client;
            using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
            await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync("220 test ESMTP");
            List<string> to = [];
            while (await reader.ReadLineAsync() is { } line)
            {
                var verb = line.Split(' ', ':')[0].ToUpperInvariant();
                switch (verb)
                {
                    case "EHLO" or "HELO" or "NOOP" or "RSET":
                        await writer.WriteLineAsync("250 OK");
                        break;
                    case "MAIL" when RequiresLogin:
                        await writer.WriteLineAsync("530 5.7.0 Authentication required");
                        break;
                    case "MAIL":
                        to.Clear();
                        await writer.WriteLineAsync("250 OK");
                        break;
                    case "RCPT":
                        var address = line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.IndexOf('>', StringComparison.Ordinal)];
                        to.Add(address);
                        await writer.WriteLineAsync(Refused.ContainsKey(address) ? $"550 <{address}> is not known here" : "250 OK");
                        break;
                    case "DATA":
                        await writer.WriteLineAsync("354 Go on");
                        var text = new StringBuilder();
                        while (await reader.ReadLineAsync() is { } data && data != ".")
                        {
                            text.AppendLine(data.StartsWith('.') ? data[1..] : data);
                        }

                        _mails.Enqueue(new([.. to], text.ToString()));
                        await (Hold?.Task ?? Task.CompletedTask);
                        await writer.WriteLineAsync("250 Taken");
                        break;
                    case "QUIT":
                        await writer.WriteLineAsync("221 Bye");
                        return;
                    default:
                        await writer.WriteLineAsync("502 What?");
                        break;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The client or Stop has closed the connection.
        }
    }

    public sealed record Mail(IReadOnlyList<string> To, string Text)
    {
        public string MessageId => Text.Split('\n').First(l => l.StartsWith("Message-Id:", StringComparison.OrdinalIgnoreCase))[11..].Trim();
    }
}
