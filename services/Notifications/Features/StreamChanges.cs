using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OrderInventory.Notifications.LiveChanges;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Identity;

namespace OrderInventory.Notifications.Features;

/// <summary>Changes as they happen, as server-sent events.</summary>
public static class StreamChanges
{
    /// <summary>Maximum number of listeners of one replica.</summary>
    private const int MaxListeners = 1000;

    /// <summary>Maximum number of changes that are written before a flush.</summary>
    private const int BatchSize = 100;

    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Adds the services that read and keep the changes.</summary>
    internal static void AddStream(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ChangeBuffer>();
        builder.Services.AddSingleton<ChangeReader>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ChangeReader>());
        builder.Services.AddHostedService<NotificationWatch>();
    }

    /// <summary>Maps <c>/api/stream</c>.</summary>
    internal static void MapStream(this IEndpointRouteBuilder routes) => routes.MapGet("/api/stream", HandleAsync)
        .For(Policies.FollowChanges).WithTags("Stream").Produces<string>(200, "text/event-stream").WithProblems(404, 503);

    /// <summary>Follow orders, stock and notifications as they change</summary>
    /// <remarks>
    /// An endless stream of server-sent events (<c>text/event-stream</c>). <c>order.created</c>, <c>order.updated</c> and <c>inventory.updated</c>
    /// have the data of the Kafka events of these names; <c>notification.updated</c> has that of the list, without the address. The other events are
    /// <c>open</c> (the beginning), <c>reset</c> (changes may have been missed since the last one: read the lists again), <c>stale</c> (Kafka does
    /// not answer; changes are late) and <c>current</c> (Kafka answers again). After 15 seconds without an event, a comment with an <c>id</c> is
    /// sent, from which a client can resume. With <c>Last-Event-ID</c>, the changes since that one are sent first, as long as they are kept (the
    /// newest 8,192, and five minutes without any listener); otherwise a <c>reset</c> is sent. A change may be sent twice, and changes of different
    /// objects in any order: take what has the higher <c>version</c>. Each role gets what it may read; a customer gets their own orders and messages,
    /// and of stock only <c>available</c>. That is the event's value, which counts inactive locations too, and no event is sent when a location
    /// becomes inactive: <c>GET /api/inventory/{productId}</c> says what a customer can order. The stream ends with the token.
    /// </remarks>
    /// <param name="types">order, stock, notification, separated by commas; all when left out.</param>
    /// <param name="ids">Only changes of these orders (their notifications too), products or notifications: up to 100 ids, separated by commas.</param>
    /// <param name="customerId">Only what belongs to this customer.</param>
    /// <param name="caller">The listener.</param>
    /// <param name="time">The clock.</param>
    /// <param name="http">The request.</param>
    /// <param name="buffer">The changes.</param>
    /// <param name="reader">Reads them while somebody listens.</param>
    /// <param name="options">The settings.</param>
    /// <param name="lifetime">Ends with the service.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    /// <response code="200">Events, until the client disconnects.</response>
    /// <response code="404">A customer has requested another customer's changes.</response>
    /// <response code="503">There are too many listeners, or Kafka does not answer.</response>
    internal static async Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        string? types, string? ids, Guid? customerId, Caller caller, TimeProvider time, HttpContext http, ChangeBuffer buffer, ChangeReader reader,
        IOptions<NotificationOptions> options, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        if (EnumList.Read<ChangeKind>(types, "types", out var kinds) is { } unknown)
        {
            return unknown;
        }

        Guid[]? subjects = null;
        if (ids is not null && IdList.Read(ids, "ids", out subjects) is { } malformed)
        {
            return malformed;
        }

        if (customerId is { } requested && !caller.MaySee(requested))
        {
            return Problems.NotFound("customer", requested);
        }

        if (reader.Listeners >= MaxListeners)
        {
            http.Response.Headers.RetryAfter = "1";
            return Problems.Of(
                "dependency-unavailable", "The change stream has too many listeners.", StatusCodes.Status503ServiceUnavailable,
                $"At most {MaxListeners} are allowed. Try again later.");
        }

        // A listener stays for hours and mostly waits, so it must not hold the slot of a working request.
        http.LeaveAdmission();
        using var listening = reader.Listen();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        if (http.User.FindFirst("exp")?.Value is { } exp && long.TryParse(exp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            var left = DateTimeOffset.FromUnixTimeSeconds(seconds) - time.GetUtcNow();
            // A timer accepts little more than 24 days.
            end.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left > TimeSpan.FromDays(1) ? TimeSpan.FromDays(1) : left);
        }

        try
        {
            await reader.Reading.WaitAsync(s_startTimeout, end.Token);
        }
        catch (TimeoutException)
        {
            return Problems.Unavailable(http, "Kafka");
        }

        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        // Keeps nginx and similar proxies from buffering what must be sent immediately.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        if (HttpMethods.IsHead(http.Request.Method))
        {
            return TypedResults.Empty;
        }

        var allowed = MayRead(caller.Role);
        var filter = new Filter([.. kinds is null ? allowed : kinds.Intersect(allowed)], subjects is null ? null : [.. subjects], customerId, caller.OnlyCustomer);
        try
        {
            await SendAsync(http, buffer, reader.IsStale, filter, options.Value.StreamHeartbeat, time, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client has disconnected, or the service stops: then the client reconnects.
        }

        return TypedResults.Empty;
    }

    private static ChangeKind[] MayRead(string role) => role switch
    {
        Roles.CatalogManager => [ChangeKind.Stock],
        Roles.InventoryManager => [ChangeKind.Order, ChangeKind.Stock],
        _ => [ChangeKind.Order, ChangeKind.Stock, ChangeKind.Notification],
    };

    private static async Task SendAsync(
        HttpContext http, ChangeBuffer buffer, bool isStale, Filter filter, TimeSpan heartbeat, TimeProvider time, CancellationToken cancellationToken)
    {
        var body = http.Response.BodyWriter;
        var position = buffer.Last;
        var resumed = false;
        if (http.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last)
        {
            if (ReadId(last) is { } known && buffer.TryRead(known.Series, known.Number, 0, out _, out _))
            {
                (position, resumed) = (known, true);
            }
            else
            {
                Write(body, position, "reset", "{\"reason\":\"Not all changes since your last event are kept. Read the lists again.\"}"u8);
            }
        }

        Write(body, position, "open", resumed ? "{\"resumed\":true}"u8 : "{\"resumed\":false}"u8);
        if (isStale)
        {
            Write(body, position, "stale", "{\"reason\":\"Kafka does not answer; changes are sent when it answers again.\"}"u8);
        }

        await body.FlushAsync(cancellationToken);
        var written = time.GetTimestamp();
        while (true)
        {
            var isSilent = true;
            if (!buffer.TryRead(position.Series, position.Number, BatchSize, out var changes, out var more))
            {
                position = buffer.Last;
                Write(body, position, "reset", "{\"reason\":\"You read too slowly, or the service restarted the stream. Read the lists again.\"}"u8);
                isSilent = false;
            }

            foreach (var change in changes)
            {
                position.Number++;
                if (filter.Matches(change))
                {
                    Write(body, position, change.Event, filter.OnlyCustomer is null ? change.Data : change.ForCustomers ?? change.Data);
                    isSilent = false;
                }
            }

            if (isSilent && changes.Count == 0)
            {
                await WaitAsync(more, heartbeat - time.GetElapsedTime(written), cancellationToken);
            }

            if (isSilent && time.GetElapsedTime(written) >= heartbeat)
            {
                // The filter excluded all changes, but the listener still needs a sign of life and the current position.
                Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $":\nid: {position.Series}-{position.Number}\n\n"), body);
                isSilent = false;
            }

            if (!isSilent)
            {
                // Waits for a client that reads slowly, so that only this batch is held for it.
                await body.FlushAsync(cancellationToken);
                written = time.GetTimestamp();
            }
        }
    }

    private static async Task WaitAsync(Task more, TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await more.WaitAsync(atMost < TimeSpan.Zero ? TimeSpan.Zero : atMost, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Nothing has happened.
        }
    }

    private static void Write(PipeWriter body, (string Series, long Number) position, string name, ReadOnlySpan<byte> data)
    {
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {position.Series}-{position.Number}\nevent: {name}\ndata: "), body);
        body.Write(data);
        body.Write("\n\n"u8);
    }

    private static (string Series, long Number)? ReadId(string id) =>
        id.Split('-') is [var series, var text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? (series, number) : null;

    /// <summary>What one listener wants and may see.</summary>
    private sealed record Filter(ChangeKind[] Kinds, HashSet<Guid>? Ids, Guid? CustomerId, Guid? OnlyCustomer)
    {
        public bool Matches(Change change) => change.Kind is not { } kind
            || (Kinds.Contains(kind)
                && (Ids is null || (change.Subject is { } subject && Ids.Contains(subject)) || (change.OrderId is { } order && Ids.Contains(order)))
                && (CustomerId is null || change.CustomerId == CustomerId)
                // Everybody may see stock; a customer sees only the part for customers.
                && (OnlyCustomer is null || change.CustomerId == OnlyCustomer || (kind == ChangeKind.Stock && change.ForCustomers is not null)));
    }
}
