using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OrderInventory.TestSupport;

/// <summary>Stands between a service and a server shared by other tests, so that a test can make the server unreachable and bring it back.</summary>
public sealed class TcpProxy(string targetHost, int targetPort) : IDisposable
{
    private readonly ConcurrentDictionary<TcpClient, bool> _open = new();
    private TcpListener? _listener;

    public int Port { get; private set; }

    /// <summary>Listens, again on the first port after a restart.</summary>
    public void Start()
    {
        _listener = new(IPAddress.Loopback, Port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync(_listener);
    }

    /// <summary>Refuses new connections and cuts the open ones.</summary>
    public void Stop()
    {
        _listener?.Stop();
        foreach (var client in _open.Keys)
        {
            client.Dispose();
        }

        _open.Clear();
    }

    public void Dispose()
    {
        Stop();
        _listener?.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                _ = ForwardAsync(await listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The proxy was stopped.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var target = new TcpClient();
        try
        {
            _open[client] = true;
            await target.ConnectAsync(targetHost, targetPort);
            _open[target] = true;
            await Task.WhenAny(
                client.GetStream().CopyToAsync(target.GetStream()),
                target.GetStream().CopyToAsync(client.GetStream()));
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // One of the two sides has closed.
        }
        finally
        {
            _open.TryRemove(client, out _);
            _open.TryRemove(target, out _);
            client.Dispose();
        }
    }
}
