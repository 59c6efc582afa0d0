using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OrderInventory.Campaign.Servers;

/// <summary>What a network does to a connection.</summary>
internal enum NetworkFault
{
    None,

    /// <summary>Each piece arrives 200 ms later.</summary>
    Delay,

    /// <summary>Nothing arrives, in neither direction, and nobody is told.</summary>
    Drop,

    /// <summary>What the server sends does not arrive.</summary>
    HalfOpen,

    /// <summary>Every connection is cut with RST, and new ones too.</summary>
    Reset,

    /// <summary>64 kB a second arrive.</summary>
    Slow,
}

/// <summary>Stands between those who ask and one server or service, on loopback, and can spoil what goes through it.</summary>
internal sealed class Proxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, Ports.Free());
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private volatile NetworkFault _fault;

    /// <param name="name">For people.</param>
    /// <param name="target">The port of what is behind it.</param>
    public Proxy(string name, int target)
    {
        (Name, _target) = (name, target);
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Name { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From now on. Bytes that a fault has swallowed are gone for good, so the end of one that swallows cuts the connections.</summary>
    public void Set(NetworkFault fault)
    {
        var before = _fault;
        _fault = fault;
        if (fault == NetworkFault.Reset || before is NetworkFault.Drop or NetworkFault.HalfOpen)
        {
            foreach (var socket in _open.Keys)
            {
                Cut(socket);
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        foreach (var socket in _open.Keys)
        {
            Cut(socket);
        }

        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ForwardAsync(await _listener.AcceptSocketAsync(_stop.Token));
            }
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The campaign is over.
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            (_open[client], _open[server]) = (true, true);
            if (_fault == NetworkFault.Reset)
            {
                return;
            }

            (client.NoDelay, server.NoDelay) = (true, true);
            await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            await Task.WhenAny(CopyAsync(client, server, fromServer: false), CopyAsync(server, client, fromServer: true));
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One of the two has gone.
        }
        finally
        {
            Cut(client);
            Cut(server);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool fromServer)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer.AsMemory(0, _fault == NetworkFault.Slow ? 4096 : buffer.Length), _stop.Token)) > 0)
            {
                switch (_fault)
                {
                    case NetworkFault.Drop:
                    case NetworkFault.HalfOpen when fromServer:
                        continue;
                    case NetworkFault.Delay:
                        await Task.Delay(200, _stop.Token);
                        break;
                    case NetworkFault.Slow:
                        await Task.Delay(Math.Max(1, count / 64), _stop.Token);
                        break;
                    default:
                        break;
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
                }
            }
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut.
        }
    }

    private void Cut(Socket socket)
    {
        if (_open.TryRemove(socket, out _))
        {
            // RST instead of FIN where a fault asks for it; for an orderly end what is under way has been sent by then.
            if (_fault == NetworkFault.Reset)
            {
                try
                {
                    socket.LingerState = new(true, 0);
                }
                catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
                {
                    // Gone already.
                }
            }

            socket.Dispose();
        }
    }
}
