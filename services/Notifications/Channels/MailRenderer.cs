using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MimeKit;
using MimeKit.Text;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;

namespace OrderInventory.Notifications.Channels;

/// <summary>
/// Fills the templates of <c>Templates/{language}/{template}.txt</c>: the first line is the subject, the rest the text, and
/// <c>{{name}}</c> is replaced. A language without the template falls back to English.
/// </summary>
internal sealed partial class MailRenderer
{
    private const string Fallback = "en";

    private readonly Dictionary<string, (string Subject, string Body)> _templates = Load();

    public RenderedMail Render(ClaimedNotification notification, string recipient, string? name, string? language)
    {
        var data = JsonSerializer.Deserialize(notification.Data, NotificationJson.Default.NotificationData)!;
        var values = Values(notification, data, name);
        var (subject, body) = Find(notification.Template, language ?? notification.Language);
        return new(recipient, Fill(subject, values), Fill(body, values));
    }

    /// <summary>The mail with the notification's id as its Message-ID: whoever gets it twice can tell.</summary>
    public static MimeMessage ToMessage(Guid id, RenderedMail mail, MailboxAddress from, DateTimeOffset date)
    {
        var message = new MimeMessage
        {
            MessageId = $"{id}@{from.Domain}",
            Subject = mail.Subject,
            Date = date,
            Body = new TextPart(TextFormat.Plain) { Text = mail.Body },
        };
        message.From.Add(from);
        message.To.AddRange(InternetAddressList.Parse(mail.Recipient));
        // RFC 3834: no out-of-office replies to an automatic mail, please.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }

    private static Dictionary<string, string> Values(ClaimedNotification notification, NotificationData data, string? name) => new()
    {
        ["name"] = string.IsNullOrWhiteSpace(name) ? "customer" : Line(name),
        ["orderId"] = notification.OrderId.ToString() ?? "",
        ["total"] = data.Total is { } total ? string.Create(CultureInfo.InvariantCulture, $"{total.Amount:0.00##} {Line(total.Currency)}") : "",
        ["lines"] = Lines(data),
        ["shortages"] = Shortages(data),
        ["outcome"] = data.RevisionRejected == true
            ? $"could not be made, because there is not enough in stock; the order stands as it was.\n\n{Shortages(data)}"
            : "has been made, and everything is reserved for you.",
        ["productId"] = data.ProductId.ToString() ?? "",
        ["available"] = data.Available?.ToString(CultureInfo.InvariantCulture) ?? "",
        ["threshold"] = data.Threshold?.ToString(CultureInfo.InvariantCulture) ?? "",
    };

    private static string Shortages(NotificationData data) => string.Join('\n', (data.Shortages ?? []).Select(s =>
        string.Create(CultureInfo.InvariantCulture, $"  {Line(s.Name)}: {s.Requested} asked for, {s.Available} available")));

    private static string Lines(NotificationData data)
    {
        var text = new StringBuilder();
        foreach (var line in data.Lines ?? [])
        {
            text.Append(CultureInfo.InvariantCulture, $"  {line.Quantity} x {Line(line.Name)}\n");
        }

        if (data.MoreLines is { } more)
        {
            text.Append(CultureInfo.InvariantCulture, $"  and {more} more lines\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    /// <summary>A name of somebody's making stays on its line: it can add neither a header nor a paragraph.</summary>
    private static string Line(string text) => ControlCharacters().Replace(text, " ");

    private static string Fill(string template, Dictionary<string, string> values) =>
        Placeholders().Replace(template, match => values[match.Groups[1].Value]);

    private (string Subject, string Body) Find(string template, string? language)
    {
        // "de-AT" is served by "de".
        var primary = language?.Split('-')[0].ToLowerInvariant() ?? Fallback;
        return _templates.TryGetValue($"{primary}/{template}", out var found) ? found : _templates[$"{Fallback}/{template}"];
    }

    private static Dictionary<string, (string, string)> Load()
    {
        const string prefix = "Templates/";
        var assembly = typeof(MailRenderer).Assembly;
        var templates = new Dictionary<string, (string, string)>();
        foreach (var resource in assembly.GetManifestResourceNames().Where(r => r.StartsWith(prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var subject = reader.ReadLine()!;
            templates.Add(resource[prefix.Length..^".txt".Length], (subject, reader.ReadToEnd().TrimStart('\n', '\r').ReplaceLineEndings("\n")));
        }

        return templates;
    }

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Placeholders();

    [GeneratedRegex(@"[\p{Cc}\u2028\u2029]+")]
    private static partial Regex ControlCharacters();
}
