using System.Net;
using System.Net.Sockets;

namespace OrderInventory.TestSupport;

public static class Ports
{
    /// <summary>A port that is free, and that the system gives to no outgoing connection (those are 32768 and above on Linux) before it is bound, or bound again after a kill.</summary>
    public static int Free()
    {
        while (true)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(20_000, 32_000));
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }
}
