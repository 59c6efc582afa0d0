using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace OrderInventory.ServiceDefaults.Http;

/// <summary>
/// Reads UUIDs in the one form that the API writes (RFC 9562, section 4): 36 characters, no braces, no blanks. The framework's own parser accepts
/// four more forms, and within this form a sign or 0x in place of digits.
/// </summary>
public static class Uuids
{
    private const int Length = 36;

    public static bool TryParse(ReadOnlySpan<char> text, out Guid id)
    {
        id = default;
        if (text.Length != Length)
        {
            return false;
        }

        for (var i = 0; i < Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit(text[i]))
            {
                return false;
            }
        }

        return Guid.TryParseExact(text, "D", out id);
    }
}

/// <summary>The route constraint <c>guid</c>: an id in a path is as strict as one in a query.</summary>
internal sealed class UuidConstraint : IRouteConstraint
{
    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        values.TryGetValue(routeKey, out var value) && (value is Guid || (value is string text && Uuids.TryParse(text, out _)));
}
