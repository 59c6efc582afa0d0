using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Domain;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;
using OrderInventory.ServiceDefaults.Text;

namespace OrderInventory.Customers.Features;

internal static class ListCustomers
{
    private static readonly Paging s_paging = new("customers");

    private const int MaxText = 200;

    /// <summary>List customers, oldest first</summary>
    /// <remarks>All given filters must match. With <c>ids</c> the response is one page of those that exist.</remarks>
    /// <param name="q">Text in the name, e-mail, phone or a city; up to 200 characters; case does not matter.</param>
    /// <param name="email">Exactly this e-mail address; case does not matter.</param>
    /// <param name="ids">Up to 100 ids, separated by commas.</param>
    /// <param name="limit">Items per page, 1 to 100; 20 when left out.</param>
    /// <param name="cursor">The <c>next</c> of the previous page.</param>
    public static async Task<Results<Ok<Page<CustomerResponse>>, ProblemHttpResult>> HandleAsync(
        string? q, string? email, string? ids, int? limit, string? cursor, CustomersDb db, CancellationToken cancellationToken)
    {
        if (s_paging.Read(limit, cursor, out var take, out var after) is { } unreadable)
        {
            return unreadable;
        }

        var customers = db.Customers.AsNoTracking();
        if (ids is not null)
        {
            if (IdList.Read(ids, "ids", out var wanted) is { } malformed)
            {
                return malformed;
            }

            take = IdList.MaxIds;
            customers = customers.Where(c => wanted.Contains(c.Id));
        }

        if (email is not null)
        {
            var key = Customer.ToEmailKey(email);
            customers = customers.Where(c => c.EmailKey == key);
        }

        if (!string.IsNullOrWhiteSpace(q))
        {
            var text = q.Trim();
            if (TextRules.CountOf(text) > MaxText || TextRules.HasControls(text))
            {
                return Problems.MalformedRequest("q", $"At most {MaxText} characters are allowed, and no control characters.");
            }

            var pattern = DatabaseValues.LikePattern(Customer.ToSearchKey(text));
            customers = customers.Where(c => EF.Functions.Like(c.SearchKey!, pattern, DatabaseValues.LikeEscape));
        }

        if (after is not null)
        {
            customers = customers.Where(c => c.Id > after);
        }

        var rows = await customers.OrderBy(c => c.Id).Take(take + 1).Select(CustomerResponse.Projection).ToListAsync(cancellationToken);
        return TypedResults.Ok(s_paging.ToPage(rows, take, c => c.Id));
    }
}
