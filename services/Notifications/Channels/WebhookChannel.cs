using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>How an endpoint answered: a status code, or the error that kept it from answering.</summary>
/// <param name="RetryAfter">How long the endpoint asks not to be called; only with 429 and 503, never negative.</param>
internal sealed record WebhookAnswer(int? StatusCode, string? Error, TimeSpan Duration, TimeSpan? RetryAfter = null)
{
    /// <summary>The endpoint wants no more deliveries (Standard Webhooks).</summary>
    public bool Gone => StatusCode == StatusCodes.Status410Gone;

    public bool Taken => Error is null;
}

/// <summary>
/// Posts to addresses that subscribers have chosen. So it uses no redirects, no cookies, no proxy and no service discovery (which would resolve
/// this system's own names), and reads almost nothing of the response. Private addresses are refused when the connection is made, after the
/// name is resolved: an earlier check could pass with one address and the connection use another.
/// </summary>
internal sealed class WebhookChannel : IDisposable
{
    /// <summary>How much of a response is read at most, so that the connection can be reused.</summary>
    private const int MaxBody = 4096;

    private static readonly MediaTypeHeaderValue s_contentType = new("application/cloudevents+json");

    private readonly HttpClient _http;
    private readonly bool _allowPrivate;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    /// <param name="options">Whether private targets are permitted, and how long an endpoint has to answer.</param>
    /// <param name="time">The clock of timestamps and timeouts.</param>
    /// <param name="resolve">Resolves a name to addresses; the system's resolver when it is left out.</param>
    public WebhookChannel(IOptions<NotificationOptions> options, TimeProvider time, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
        _allowPrivate = options.Value.Webhooks.AllowPrivateTargets;
        _timeout = options.Value.Webhooks.Timeout;
        _time = time;
        _http = new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                AutomaticDecompression = DecompressionMethods.None,
                MaxResponseHeadersLength = 16,
                MaxResponseDrainSize = MaxBody,
                PooledConnectionLifetime = TimeSpan.FromMinutes(1),
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
                // Our trace ids are not disclosed to endpoints.
                ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
                ConnectCallback = ConnectAsync,
            })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Makes one attempt. Never throws because of the endpoint; its response is not kept, because it may contain anything.</summary>
    public async Task<WebhookAnswer> PostAsync(Uri url, Guid id, ReadOnlyMemory<byte> body, IEnumerable<string> secrets)
    {
        var started = _time.GetTimestamp();
        var timestamp = _time.GetUtcNow().ToUnixTimeSeconds();
        using var timeout = new CancellationTokenSource(_timeout, _time);
        // The HTTP instrumentation would write our trace context into the request; the caller's span covers the attempt.
        using var quiet = SuppressInstrumentationScope.Begin();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ReadOnlyMemoryContent(body) };
            request.Content.Headers.ContentType = s_contentType;
            request.Headers.Add("Webhook-Id", id.ToString());
            request.Headers.Add("Webhook-Timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
            request.Headers.Add("Webhook-Signature", WebhookSignature.Sign(id, timestamp, body.Span, secrets));
            request.Headers.UserAgent.Add(new("OrderInventory", "1"));
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            var status = (int)response.StatusCode;
            return status is >= 200 and < 300
                ? Answer(status, null)
                : Answer(status, string.Create(CultureInfo.InvariantCulture, $"The endpoint answered {status}.")) with { RetryAfter = RetryAfter(response) };
        }
        catch (OperationCanceledException)
        {
            return Answer(null, string.Create(CultureInfo.InvariantCulture, $"The endpoint did not answer within {_timeout.TotalSeconds:0.###} s."));
        }
        catch (HttpRequestException exception)
        {
            return Answer(null, Describe(exception));
        }

        WebhookAnswer Answer(int? status, string? error) => new(status, error, _time.GetElapsedTime(started));
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Reads Retry-After, in seconds or as a date (RFC 9110, section 10.2.3).</summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
            && (response.Headers.RetryAfter?.Delta ?? response.Headers.RetryAfter?.Date - _time.GetUtcNow()) is { } delay && delay > TimeSpan.Zero
            ? delay
            : null;

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, cancellationToken);
        var permitted = _allowPrivate ? addresses : [.. addresses.Where(PublicAddresses.Contains)];
        if (permitted.Length == 0)
        {
            throw new TargetNotPermittedException();
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // Connects to the addresses that were checked and does not resolve the name again.
            await socket.ConnectAsync(permitted, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Describes errors in our own words: the runtime's messages differ by platform and name addresses that subscribers need not know.
    /// </summary>
    private static string Describe(HttpRequestException exception) => exception switch
    {
        { InnerException: TargetNotPermittedException } => "The address is private, and private targets are not permitted.",
        { HttpRequestError: HttpRequestError.NameResolutionError } or { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } } =>
            "The host name cannot be resolved.",
        { HttpRequestError: HttpRequestError.SecureConnectionError } => "The TLS connection could not be made.",
        { HttpRequestError: HttpRequestError.ConnectionError } or { InnerException: SocketException } => "The connection to the endpoint could not be made.",
        _ => "The endpoint's answer is not HTTP, or ended early.",
    };

    private sealed class TargetNotPermittedException : IOException;
}
