using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OrderInventory.TestSupport;

public static class Ports
{
    private static readonly ConcurrentDictionary<int, bool> s_given = new();

    /// <summary>
    /// A free port that this process has not handed out before. The system gives it to no outgoing connection (those are 32768 and above on
    /// Linux) before it is bound, or bound again after a kill.
    /// </summary>
    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
            }
            catch (SocketException)
            {
                // Taken: try another one.
                continue;
            }

            if (s_given.TryAdd(port, true))
            {
                return port;
            }
        }
    }
}
