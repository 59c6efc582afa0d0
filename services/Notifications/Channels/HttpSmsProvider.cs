using System.Globalization;
using System.Net;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;

namespace OrderInventory.Notifications.Channels;

/// <summary>
/// Any provider that accepts a JSON POST: <c>{"to", "from", "text"}</c>, with the configured headers and the notification's id as
/// Idempotency-Key. Its response is not kept, because it may contain the phone number.
/// </summary>
internal sealed class HttpSmsProvider(HttpClient http, IOptions<NotificationOptions> options) : ISmsProvider
{
    private readonly SmsOptions _options = options.Value.Sms;

    public async Task SendAsync(SmsMessage message, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _options.Url)
        {
            Content = JsonContent.Create(new Request(message.To, _options.From, message.Text), SmsJson.Default.Request),
        };
        request.Headers.Add("Idempotency-Key", message.Id.ToString());
        foreach (var (name, value) in _options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                var error = string.Create(CultureInfo.InvariantCulture, $"The text message provider answered {(int)response.StatusCode}.");
                throw response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized
                    ? new ChannelUnavailableException(error, new HttpRequestException(error))
                    : new MessageRefusedException(error, new HttpRequestException(error));
            }
        }
        catch (HttpRequestException exception)
        {
            throw new ChannelUnavailableException("The text message provider cannot be reached.", exception);
        }
    }

    internal sealed record Request(string To, string? From, string Text);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HttpSmsProvider.Request))]
internal sealed partial class SmsJson : JsonSerializerContext;

internal static class SmsProviders
{
    /// <summary>Adds the provider of <c>Notifications:Sms</c>, or the one that only logs when none is configured.</summary>
    public static void AddSmsProvider(this IHostApplicationBuilder builder)
    {
        if (string.IsNullOrWhiteSpace(builder.Configuration["Notifications:Sms:Url"]))
        {
            builder.Services.AddSingleton<ISmsProvider, LoggingSmsProvider>();
            return;
        }

        builder.Services.AddHttpClient<ISmsProvider, HttpSmsProvider>()
            .UseSocketsHttpHandler((handler, _) =>
            {
                handler.AllowAutoRedirect = false;
                handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2);
            })
            // The sender keeps its client permanently.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }
}
