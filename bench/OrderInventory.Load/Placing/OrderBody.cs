using System.Net.Http.Headers;
using System.Text;
using OrderInventory.Load.Setup;

namespace OrderInventory.Load.Placing;

/// <summary>
/// The body of a client's next order. It is built once as UTF-8; each order overwrites the ids and quantities in it, all of fixed length, so
/// that on two cores the driver does not distort the measurement. A client has one request at a time, so one buffer is enough.
/// </summary>
internal sealed class OrderBody
{
    private const int IdLength = 36;
    private const int MaxQuantity = 3;
    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    private readonly Random _random;
    private readonly byte[][] _products;
    private readonly byte[][] _customers;
    private readonly byte[] _bytes;
    private readonly int _customerAt;
    private readonly int[] _productsAt;
    private readonly int[] _quantitiesAt;
    private readonly int[] _chosen;

    public OrderBody(Catalogue catalogue, int lines, Random random)
    {
        _random = random;
        _products = [.. catalogue.Products.Select(id => Encoding.ASCII.GetBytes(id.ToString()))];
        _customers = [.. catalogue.Customers.Select(id => Encoding.ASCII.GetBytes(id.ToString()))];
        _productsAt = new int[lines];
        _quantitiesAt = new int[lines];
        _chosen = new int[lines];

        var json = new StringBuilder("{\"customerId\":\"");
        _customerAt = json.Length;
        json.Append(' ', IdLength).Append("\",\"lines\":[");
        for (var i = 0; i < lines; i++)
        {
            json.Append(i == 0 ? "" : ",").Append("{\"productId\":\"");
            _productsAt[i] = json.Length;
            json.Append(' ', IdLength).Append("\",\"quantity\":");
            _quantitiesAt[i] = json.Length;
            json.Append("1}");
        }

        _bytes = Encoding.ASCII.GetBytes(json.Append("]}").ToString());
    }

    /// <summary>A random customer, distinct random products, 1 to 3 of each.</summary>
    public void Fill()
    {
        _customers[_random.Next(_customers.Length)].CopyTo(_bytes, _customerAt);
        for (var i = 0; i < _chosen.Length; i++)
        {
            do
            {
                _chosen[i] = _random.Next(_products.Length);
            }
            while (_chosen.AsSpan(0, i).Contains(_chosen[i]));

            _products[_chosen[i]].CopyTo(_bytes, _productsAt[i]);
            _bytes[_quantitiesAt[i]] = (byte)('1' + _random.Next(MaxQuantity));
        }
    }

    public HttpContent ToContent() => new ReadOnlyMemoryContent(_bytes) { Headers = { ContentType = s_json } };
}
