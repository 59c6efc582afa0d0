using System.Text;
using System.Text.RegularExpressions;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Notifications.Channels;

/// <summary>The variables of the templates.</summary>
internal static partial class MessageValues
{
    private const char FirstStrongIsolate = '\u2068', PopIsolate = '\u2069';

    /// <param name="orderId">The order, if the message is about one.</param>
    /// <param name="data">The recorded data, and the other services' answers.</param>
    /// <param name="name">The receiver's name.</param>
    /// <param name="language">The template's language, for numbers.</param>
    public static Dictionary<string, object?> Of(Guid? orderId, NotificationData data, string? name, string language)
    {
        var values = new Dictionary<string, object?> { ["name"] = Line(name ?? "").Trim() };
        if (data.ProductId is { } product)
        {
            values["productId"] = product.ToString();
            values["sku"] = Line(data.Sku ?? "");
            values["productName"] = Line(data.ProductName ?? "");
            values["available"] = data.Available ?? 0;
            values["threshold"] = data.Threshold ?? 0;
            return values;
        }

        values["orderId"] = orderId.ToString() ?? "";
        values["total"] = data.Total is { } total ? MoneyText.Format(total.Amount, Line(total.Currency), language) : "";
        values["lines"] = (data.Lines ?? []).Select(l => new Dictionary<string, object> { ["quantity"] = l.Quantity, ["name"] = Line(l.Name) }).ToArray();
        values["moreLines"] = data.MoreLines ?? 0;
        values["shortages"] = (data.Shortages ?? [])
            .Select(s => new Dictionary<string, object> { ["name"] = Line(s.Name), ["requested"] = s.Requested, ["available"] = s.Available }).ToArray();
        values["revisionRejected"] = data.RevisionRejected ?? false;
        values["carrier"] = Line(data.Carrier ?? "");
        values["trackingNumber"] = Line(data.TrackingNumber ?? "");
        return values;
    }

    /// <summary>
    /// Makes foreign text safe within a line. Control characters are replaced, so that the text can add neither a header nor a paragraph.
    /// Marks that change the direction of the following text (UAX #9) are removed, and a text that had any, or that is in a right-to-left script,
    /// is isolated, so that the text around it keeps its order.
    /// </summary>
    public static string Line(string text)
    {
        var line = ControlCharacters().Replace(text, " ");
        var plain = Directions().Replace(line, "");
        return plain.Length != line.Length || plain.EnumerateRunes().Any(IsRightToLeft) ? $"{FirstStrongIsolate}{plain}{PopIsolate}" : line;
    }

    /// <summary>Makes a text one line, without isolating it.</summary>
    public static string OnOneLine(string text) => ControlCharacters().Replace(text, " ");

    private static bool IsRightToLeft(Rune rune) => rune.Value
        is (>= 0x0590 and <= 0x08FF) or (>= 0xFB1D and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFF) or (>= 0x10800 and <= 0x10FFF) or (>= 0x1E800 and <= 0x1EFFF);

    [GeneratedRegex(@"[\p{Cc}\u2028\u2029]+")]
    private static partial Regex ControlCharacters();

    [GeneratedRegex(@"[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]")]
    private static partial Regex Directions();
}
