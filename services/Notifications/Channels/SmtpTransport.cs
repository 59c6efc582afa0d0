using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace OrderInventory.Notifications.Channels;

/// <summary>Sends by SMTP. With a user name, a server on another machine must offer TLS; without one, TLS is used when it is offered.</summary>
internal sealed class SmtpTransport : IEmailTransport
{
    private readonly string _host;
    private readonly int _port;
    private readonly SecureSocketOptions _security;
    private readonly string? _user;
    private readonly string _password = "";

    public SmtpTransport(Uri server)
    {
        _host = server.DnsSafeHost;
        var tls = server.Scheme == "smtps";
        _port = server.Port > 0 ? server.Port : tls ? 465 : 25;
        if (server.UserInfo.Length > 0)
        {
            var colon = server.UserInfo.IndexOf(':', StringComparison.Ordinal);
            _user = Uri.UnescapeDataString(colon < 0 ? server.UserInfo : server.UserInfo[..colon]);
            _password = colon < 0 ? "" : Uri.UnescapeDataString(server.UserInfo[(colon + 1)..]);
        }

        _security = (tls, server.IsLoopback, _user) switch
        {
            (true, _, _) => SecureSocketOptions.SslOnConnect,
            // A mail server for development has no certificate, or one that is not trusted.
            (_, true, _) => SecureSocketOptions.None,
            (_, _, null) => SecureSocketOptions.StartTlsWhenAvailable,
            _ => SecureSocketOptions.StartTls,
        };
    }

    public async Task<IEmailConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var client = new SmtpClient { Timeout = 10_000 };
        try
        {
            await client.ConnectAsync(_host, _port, _security, cancellationToken);
            if (_user is not null)
            {
                await client.AuthenticateAsync(_user, _password, cancellationToken);
            }

            return new Connection(client);
        }
        catch (Exception exception) when (IsChannelFailure(exception, cancellationToken))
        {
            client.Dispose();
            throw new ChannelUnavailableException($"The mail server {_host}:{_port} does not accept the connection: {exception.Message}", exception);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static bool IsChannelFailure(Exception exception, CancellationToken cancellationToken) =>
        exception is IOException or SocketException or ProtocolException or CommandException or AuthenticationException
            or SslHandshakeException or TimeoutException or NotSupportedException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private sealed class Connection(SmtpClient client) : IEmailConnection
    {
        public async Task SendAsync(MimeMessage mail, CancellationToken cancellationToken)
        {
            try
            {
                await client.SendAsync(mail, cancellationToken);
            }
            catch (SmtpCommandException exception) when (client.IsConnected)
            {
                throw new MessageRefusedException(
                    $"The mail server refused the message ({(int)exception.StatusCode}): {exception.Message}", exception);
            }
            catch (ServiceNotAuthenticatedException exception)
            {
                throw new ChannelUnavailableException("The mail server requires a user name and password.", exception);
            }
            catch (Exception exception) when (IsChannelFailure(exception, cancellationToken) || exception is ServiceNotConnectedException)
            {
                throw new ChannelUnavailableException($"The connection to the mail server was lost: {exception.Message}", exception);
            }
        }

        public async ValueTask DisposeAsync()
        {
            try
            {
                using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(2));
                if (client.IsConnected)
                {
                    await client.DisconnectAsync(quit: true, timeout.Token);
                }
            }
            catch (Exception exception) when (exception is IOException or SocketException or ProtocolException or OperationCanceledException)
            {
                // The mails are accepted already; a failure to say QUIT changes nothing.
            }
            finally
            {
                client.Dispose();
            }
        }
    }
}
