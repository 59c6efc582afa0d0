using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OrderInventory.Campaign.Servers;

/// <summary>A network fault of a connection.</summary>
internal enum NetworkFault
{
    None,

    /// <summary>Each chunk of data arrives 200 ms later.</summary>
    Delay,

    /// <summary>Nothing arrives in either direction, without an error.</summary>
    Drop,

    /// <summary>Data from the server does not arrive.</summary>
    HalfOpen,

    /// <summary>Every connection is cut with RST, and new ones too.</summary>
    Reset,

    /// <summary>Only 64 kB a second arrive.</summary>
    Slow,
}

/// <summary>A proxy on loopback between clients and one server or service; it can inject network faults.</summary>
internal sealed class Proxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, Ports.Free());
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private volatile NetworkFault _fault;

    /// <param name="name">The name in output.</param>
    /// <param name="target">The port of the server behind it.</param>
    public Proxy(string name, int target)
    {
        (Name, _target) = (name, target);
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Name { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>
    /// Sets the fault from now on. Bytes that a fault has dropped are permanently lost, so the end of such a fault cuts the connections.
    /// </summary>
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
            // The campaign has ended.
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
            // One of the two sides has closed its connection.
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
            // RST instead of FIN for the fault Reset. For an orderly end, all pending data has already been sent.
            if (_fault == NetworkFault.Reset)
            {
                try
                {
                    socket.LingerState = new(true, 0);
                }
                catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
                {
                    // Already closed.
                }
            }

            socket.Dispose();
        }
    }
}
