using OrderInventory.TestSupport;

namespace OrderInventory.Products.Tests;

/// <inheritdoc cref="AuthorizationMatrix"/>
[Collection(ProductsCollection.Name)]
public sealed class AuthorizationMatrixTests(ProductsApp app)
{
    [Fact]
    public async Task The_matrix_matches_the_document()
    {
        using var http = new HttpClient { BaseAddress = app.Address };

        // Nothing about a product belongs to a customer.
        await new AuthorizationMatrix("products", http).CheckAsync(Guid.CreateVersion7(), Guid.CreateVersion7(), (_, _, _) => Task.FromResult<OwnedRequest?>(null));
    }
}
